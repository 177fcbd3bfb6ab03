import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlatform } from "../../cache/oci/platform.js";
import { fakeImages } from "../../fixtures/images.js";
import { decodeOp } from "../../solver/llb/codec.js";
import type { Output } from "../../solver/llb/state.js";
import { dockerfileToDefinition } from "../mod.js";
import { defaultFrontendOptions, type FrontendOptions } from "../options.js";

const platform = parsePlatform("linux/amd64");
const SOURCE = "https://example.com/src.tar";
const STAGE = `FROM scratch AS src\nADD ${SOURCE} /\n`;

async function build(text: string, changes: Partial<FrontendOptions> = {}) {
  const asked: string[] = [];
  const sourceTime = async (source: "context" | Output) => {
    asked.push(source === "context" ? source : source.node.body.kind === "source" ? source.node.body.identifier : "");
    return Promise.resolve(7);
  };
  const options = { ...defaultFrontendOptions, platform, buildPlatform: platform, resolveImage: fakeImages, sourceTime, ...changes };
  return { asked, result: await dockerfileToDefinition(text, options) };
}

test("SOURCE_DATE_EPOCH is the time of a stage that downloads", async () => {
  const { asked, result } = await build(`ARG SOURCE_DATE_EPOCH=src\n${STAGE}FROM busybox\nARG SOURCE_DATE_EPOCH\nENV AT=$SOURCE_DATE_EPOCH\n`);
  assert.deepEqual(asked, [SOURCE]);
  assert.equal(result.epoch, 7);
  assert.equal(result.image.created, "1970-01-01T00:00:07Z");
  assert.ok(result.image.config?.Env?.includes("AT=7"));
});

test("SOURCE_DATE_EPOCH is the time of the context, or of a named one", async () => {
  const buildArgs = (value: string) => new Map([["SOURCE_DATE_EPOCH", value]]);
  assert.deepEqual((await build("FROM busybox\n", { buildArgs: buildArgs("context") })).asked, ["context"]);
  const contexts = new Map([["app", { kind: "git", url: "https://example.com/app.git#v1" }]] as const);
  const named = await build("FROM busybox\n", { buildArgs: buildArgs("app"), contexts });
  assert.deepEqual(named.asked, ["git://example.com/app.git#v1"]);
  const local = new Map([["app", { kind: "local", name: "app", ignore: [] }]] as const);
  assert.equal((await build("FROM busybox\n", { buildArgs: buildArgs("app"), contexts: local })).result.epoch, null);
});

test("SOURCE_DATE_EPOCH refuses a stage that is more than one download", async () => {
  const bodies = [`COPY a /\n`, `ADD a /\n`, `ADD ${SOURCE} ${SOURCE}2 /\n`, `ADD ${SOURCE} /\nADD ${SOURCE} /\n`, ""];
  for (const body of bodies) {
    const text = `ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\n${body}FROM busybox\n`;
    await assert.rejects(build(text), /SOURCE_DATE_EPOCH stage/, body);
  }
  await assert.rejects(build(`ARG SOURCE_DATE_EPOCH=src\nFROM busybox AS src\nADD ${SOURCE} /\nFROM busybox\n`), /must use FROM scratch/);
  await assert.rejects(build("ARG SOURCE_DATE_EPOCH=nothing\nFROM busybox\n"), /Cannot use "nothing" as SOURCE_DATE_EPOCH/);
});

test('created "export" leaves the time of what is new to whoever exports', async () => {
  const { result } = await build("FROM busybox\nENV A=1\n", { created: "export" });
  assert.equal(result.image.created, undefined);
  assert.equal(result.image.history?.at(-1)?.created, undefined);
  assert.notEqual(result.image.history?.[0]?.created, undefined);
});

test("warnBeforeError() hears of the warnings of a file that does not build", async () => {
  const rules: (string | null)[] = [];
  const text = "FROM busybox AS Bad\nCOPY --from=nothing-of-the-kind$X a b\n";
  await assert.rejects(build(text, { warnBeforeError: (warnings) => rules.push(...warnings.map(({ rule }) => rule)) }));
  assert.deepEqual(rules.splice(0), ["StageNameCasing"]);
  const broken = "FROM scratch AS Bad\nMAINTAINER me\nBADCMD\nFROM scratch AS Later\n";
  await assert.rejects(build(broken, { warnBeforeError: (warnings) => rules.push(...warnings.map(({ rule }) => rule)) }));
  assert.deepEqual(rules, ["StageNameCasing", "MaintainerDeprecated"]);
});

test('created "export" gives the directory of WORKDIR the epoch', async () => {
  const time = async (created: FrontendOptions["created"], epoch: number | null) => {
    const { result } = await build("FROM busybox\nWORKDIR /a\n", { created, epoch });
    // The last one only names the result.
    const bodies = result.definition.def.slice(0, -1).map((bytes) => decodeOp(bytes).body);
    const made = bodies.flatMap((body) => (body.kind === "file" ? body.actions.map(({ action }) => action) : []));
    return made.map((action) => (action.kind === "mkdir" ? action.timestamp : null));
  };
  assert.deepEqual(await time("export", 7), [7_000_000_000n]);
  assert.deepEqual(await time("export", null), [-1n]);
  assert.deepEqual(await time("base", 7), [-1n]);
});
