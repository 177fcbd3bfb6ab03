import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { writeContext } from "../../fixtures/testBuilder.js";
import { parseArgs } from "../args/parse.js";
import { contextCommand } from "./context.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-context-"));
after(() => rmSync(dir, { recursive: true }));
const context = writeContext(dir, {
  Dockerfile: "FROM alpine\nCOPY src *.json /app/\n",
  ".dockerignore": "*.log\n**/*.log\n!src/keep.log\n",
  "package.json": "{}",
  "src/main.ts": "x".repeat(1500),
  "src/keep.log": "k",
  "src/old.log": "old",
});

async function run(...words: readonly string[]): Promise<string> {
  const args = await parseArgs(["context", "ls", ...words, context], 80);
  assert.ok(args.command === "context");
  return await contextCommand(args);
}

test("tbuild context ls shows files, sizes and totals by directory", async () => {
  assert.equal(
    await run(),
    `SIZE     PATH
2B       package.json
1B       src/keep.log
1.50kB   src/main.ts

DIRECTORY   READ (FILES)   EXCLUDED   UNUSED
src/        1.50kB (2)     3B (1)     -
./          2B (1)         -          63B (2)
Total       1.50kB (3)     3B (1)     63B (2)

For Dockerfile with .dockerignore; images are not looked at, nor what their ONBUILD instructions copy
`,
  );
});

test("tbuild context ls --why shows what decides about each file", async () => {
  const [table] = (await run("--why")).split("\n\n");
  assert.equal(
    table,
    `STATE      SIZE     PATH            WHY
unused     29B      .dockerignore   no instruction reads it
unused     34B      Dockerfile      no instruction reads it
read       2B       package.json    Dockerfile:2 COPY src *.json /app/
read       1B       src/keep.log    Dockerfile:2 COPY src *.json /app/, kept by .dockerignore:3 !src/keep.log
read       1.50kB   src/main.ts     Dockerfile:2 COPY src *.json /app/
excluded   3B       src/old.log     .dockerignore:2 **/*.log`,
  );
});

test("tbuild context ls --quiet prints paths, with --all every one", async () => {
  assert.equal(await run("-q"), "package.json\nsrc/keep.log\nsrc/main.ts\n");
  assert.equal((await run("-qa")).split("\n").length, 7);
});

test("tbuild context ls --format json has entries and totals", async () => {
  const json = JSON.parse(await run("--format", "json")) as { entries: { path: string }[]; totals: { total: unknown }; ignoreFile: string };
  assert.deepEqual(json.entries.map((entry) => entry.path), ["package.json", "src/keep.log", "src/main.ts"]);
  assert.deepEqual(json.totals.total, { directory: "", read: { size: 1503, files: 3 }, excluded: { size: 3, files: 1 }, unused: { size: 63, files: 2 } });
  assert.equal(json.ignoreFile, ".dockerignore");
});

test("tbuild context asks for its command and its path", async () => {
  await assert.rejects(parseArgs(["context"], 80), { code: "usage", message: "Which context command?" });
  await assert.rejects(parseArgs(["context", "lss", "."], 80), { code: "usage", hint: 'Did you mean "ls"?' });
  await assert.rejects(parseArgs(["context", "ls"], 80), { code: "usage", hint: "Write tbuild context ls PATH" });
});
