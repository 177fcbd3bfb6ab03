import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { decodeOp } from "../../solver/llb/codec.js";
import { dockerfileToDefinition } from "../mod.js";
import { defaultFrontendOptions } from "../options.js";

const base: ImageConfig = {
  os: "windows",
  architecture: "amd64",
  "os.version": "10.0.20348.1006",
  config: { Env: ["A=1"], WorkingDir: "C:\\app" },
  rootfs: { type: "layers", diff_ids: [] },
  history: [],
};

async function build(text: string, asked = "windows/amd64") {
  const resolveImage = async (reference: string) => Promise.resolve({ reference, digest: digestOf(reference), config: base });
  const platform = parsePlatform(asked);
  return await dockerfileToDefinition(text, { ...defaultFrontendOptions, platform, buildPlatform: parsePlatform("linux/amd64"), resolveImage });
}

test("an image for Windows has cmd as its shell, and no PATH", async () => {
  const { image } = await build("FROM scratch\nENTRYPOINT foo bar\n");
  assert.deepEqual([image.os, image.config?.Entrypoint, image.config?.Env], ["windows", ["cmd", "/S", "/C", "foo bar"], []]);
});

test("an image for Windows keeps the version of its base, or has the one that was asked for", async () => {
  assert.equal((await build("FROM base\n")).image["os.version"], "10.0.20348.1006");
  assert.equal((await build("FROM base\n", "windows(10.0.17763.1)/amd64")).image["os.version"], "10.0.17763.1");
  assert.deepEqual((await build("FROM base\n")).image.config, base.config);
  const { image } = await build("FROM scratch\nARG TARGETPLATFORM\nENV P=$TARGETPLATFORM\n", "windows(1.2.3)/amd64");
  assert.deepEqual(image.config?.Env, ["P=windows(1.2.3)/amd64"]);
});

test("COPY into an image for Windows takes paths with drive and backslashes", async () => {
  const { definition } = await build("# escape=`\nFROM base\nCOPY a b\nCOPY a C:\\x\\\n");
  const dests = definition.def.slice(0, -1).flatMap((bytes) => {
    const { body } = decodeOp(bytes);
    return body.kind === "file" ? body.actions.map(({ action }) => (action.kind === "copy" ? action.dest : "")) : [];
  });
  assert.deepEqual(dests, ["/app/b", "/x/"]);
});

test("RUN, WORKDIR and other drives are refused for Windows", async () => {
  await assert.rejects(build("FROM base\nRUN dir\n"), (error) => hasCode(error, "unsupported"));
  await assert.rejects(build("FROM base\nWORKDIR C:\\x\n"), (error) => hasCode(error, "unsupported"));
  await assert.rejects(build("# escape=`\nFROM base\nCOPY a D:\\x\n"), (error) => hasCode(error, "invalid_argument"));
});
