import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { isTbuildError, type TbuildError } from "../cache/errors.js";
import { hostPlatform } from "../cache/oci/platform.js";
import { fakeImages } from "../fixtures/images.js";
import { writeContext } from "../fixtures/testBuilder.js";
import { dockerfileToDefinition } from "../frontend/mod.js";
import { defaultFrontendOptions, type NamedContext } from "../frontend/options.js";
import { loadGraph, topologicalOrder } from "../solver/graph.js";
import { checkSources } from "./checkSources.js";
import { readInputs } from "./inputs.js";
import type { LocalDirectory } from "./source/local.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-sources-"));
after(() => rmSync(dir, { recursive: true }));
const files = { "src/a.ts": "", "src/b.log": "", "data/x.log": "", ".dockerignore": "# logs\n*.log\n**/*.log\n" };
const context = writeContext(path.join(dir, "app"), files);
const assets = writeContext(path.join(dir, "assets"), { "logo.png": "", "logo.svg": "" });

async function check(body: string, named: ReadonlyMap<string, NamedContext> = new Map()) {
  writeContext(context, { Dockerfile: `FROM busybox\n${body}\n` });
  const inputs = readInputs({ context });
  const { definition } = await dockerfileToDefinition(inputs.dockerfile.bytes, {
    ...defaultFrontendOptions, platform: hostPlatform(), buildPlatform: hostPlatform(), resolveImage: fakeImages, contexts: named,
  });
  const locals = new Map<string, LocalDirectory>([
    ["context", { path: context, ignore: inputs.ignore, ignoreFile: inputs.ignoreFile }],
    ["assets", { path: assets, ignore: [] }],
  ]);
  return checkSources(topologicalOrder(loadGraph(definition)), locals, inputs.dockerfile);
}

async function errorsOf(...given: Parameters<typeof check>): Promise<readonly TbuildError[]> {
  const error: unknown = await check(...given).then(() => null, (thrown: unknown) => thrown);
  if (!isTbuildError(error)) throw error ?? new Error("Nothing was missing");
  return [error, ...error.others];
}

const shown = ({ at, message, hint }: TbuildError) => [at?.start.line, at?.start.column, message.replaceAll(dir, ""), hint];

test("checkSources() accepts what is there", async () => {
  assert.deepEqual(await check("COPY src /src\nCOPY --parents src/*.ts /\nRUN --mount=type=bind,source=src,target=/x true"), []);
});

test("checkSources() finds a bind mount's source missing", async () => {
  const [error, ...others] = await errorsOf("RUN --mount=type=bind,source=scr,target=/x true");
  assert.deepEqual(shown(error!), [2, 30, 'Cannot mount "scr": no such path in the build context "/app"', 'Did you mean "src"?']);
  assert.deepEqual(others, []);
});

test("checkSources() finds a path that --parents needs missing", async () => {
  const [error] = await errorsOf("COPY --parents src/./c.ts /");
  assert.deepEqual(shown(error!).slice(2), ['Cannot copy "src/c.ts": no such path in the build context "/app"', 'Did you mean "src/a.ts"?']);
});

test("checkSources() looks into named contexts", async () => {
  const named = new Map<string, NamedContext>([["assets", { kind: "local", name: "assets", ignore: [] }]]);
  const [error] = await errorsOf("COPY --from=assets logo.pmg /", named);
  assert.deepEqual(shown(error!), [2, 20, 'Cannot copy "logo.pmg": no such path in the context "assets" at "/assets"', 'Did you mean "logo.png"?']);
});

test("checkSources() reports everything in the order of the Dockerfile", async () => {
  const errors = await errorsOf("COPY one /\nCOPY two src three /x/\nRUN --mount=type=bind,source=four,target=/x true");
  assert.deepEqual(errors.map(({ at }) => [at?.start.line, at?.start.column]), [[2, 6], [3, 6], [3, 14], [4, 30]]);
});

test("checkSources() warns of a wildcard that copies nothing", async () => {
  const warnings = await check("COPY s*/*.log d*/*.log /logs/\nCOPY scr/*.ts /");
  assert.deepEqual(warnings.map(({ message, at }) => [message.replaceAll(dir, ""), at?.start.line]), [
    ['"s*/*.log" copies nothing: excluded by .dockerignore:3: "**/*.log"', 2],
    ['"d*/*.log" copies nothing: excluded by .dockerignore:3: "**/*.log"', 2],
    ['"scr/*.ts" copies nothing: nothing matches it in the build context "/app"; did you mean "src/*.ts"?', 3],
  ]);
});
