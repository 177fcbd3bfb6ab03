import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { writeContext } from "../fixtures/testBuilder.js";
import { type ContextEntry, type ContextListRequest, listContext } from "./contextList.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-list-"));
after(() => rmSync(dir, { recursive: true }));
let count = 0;

const tree = {
  "package.json": "{}",
  "src/a.ts": "aaaa",
  "src/b.log": "bb",
  "src/keep.log": "k",
  "src/deep/c.ts": "c",
  "vendor/x/big": "12345",
  "vendor/y": "1",
  "docs/d.md": "d",
  "empty/": "",
  ".dockerignore": "# Logs\n\n**/*.log\n!src/keep.log\nvendor\n",
};

async function list(dockerfile: string, options: Partial<ContextListRequest> = {}, files: Readonly<Record<string, string>> = tree) {
  const context = writeContext(path.join(dir, `${count++}`), { ...files, Dockerfile: dockerfile });
  symlinkSync("src", path.join(context, "link"));
  return await listContext({ context, ...options });
}

const pathsOf = (entries: readonly ContextEntry[], state: ContextEntry["state"]) => entries.filter((one) => one.state === state).map(({ path }) => path);

test("listContext() lists what the sources name and the ignore file keeps", async () => {
  const { entries } = await list("FROM scratch\nCOPY src /src\nCOPY *.json empty /x/\n");
  assert.deepEqual(pathsOf(entries, "read"), ["empty/", "package.json", "src/a.ts", "src/deep/c.ts", "src/keep.log"]);
  assert.deepEqual(pathsOf(entries, "excluded"), ["src/b.log", "vendor/"]);
  assert.deepEqual(pathsOf(entries, "unused"), [".dockerignore", "Dockerfile", "docs/", "link"]);
});

test("listContext() names the rule and the instruction that decide", async () => {
  const { entries } = await list("FROM scratch\nCOPY src/a.ts /\n  COPY src \\\n  /src\n");
  const of = (wanted: string) => entries.find((entry) => entry.path === wanted);
  const copy = { file: "Dockerfile", line: 3, text: "COPY src \\" };
  assert.deepEqual(of("src/a.ts")?.instruction, { file: "Dockerfile", line: 2, text: "COPY src/a.ts /" });
  assert.deepEqual(of("src/keep.log"), { path: "src/keep.log", size: 1, files: 1, state: "read", rule: { file: ".dockerignore", line: 4, pattern: "!src/keep.log" }, instruction: copy });
  assert.deepEqual(of("vendor/"), { path: "vendor/", size: 6, files: 2, state: "excluded", rule: { file: ".dockerignore", line: 5, pattern: "vendor" }, instruction: null });
  assert.deepEqual(of("src/b.log")?.rule, { file: ".dockerignore", line: 3, pattern: "**/*.log" });
});

test("listContext() reads everything for COPY . but what is ignored", async () => {
  const { entries } = await list("FROM scratch\nCOPY . /\n");
  assert.deepEqual(pathsOf(entries, "unused"), []);
  assert.deepEqual(pathsOf(entries, "excluded"), ["src/b.log", "vendor/"]);
  assert.ok(pathsOf(entries, "read").includes("link"));
});

test("listContext() follows a link that a source names", async () => {
  const { entries } = await list("FROM scratch\nCOPY link/deep /\n");
  assert.deepEqual(pathsOf(entries, "read"), ["src/deep/c.ts"]);
});

test("listContext() leaves out what --exclude and --parents leave out", async () => {
  const excluded = await list("FROM scratch\nCOPY --exclude=**/*.ts src /src\n");
  assert.deepEqual(pathsOf(excluded.entries, "read"), ["src/keep.log"]);
  const parents = await list("FROM scratch\nCOPY --parents src/deep/*.ts /\n");
  assert.deepEqual(pathsOf(parents.entries, "read"), ["src/deep/c.ts"]);
});

test("listContext() counts bind mounts, and only stages that the target needs", async () => {
  const file = "FROM alpine AS a\nRUN --mount=type=bind,source=docs,target=/d true\nFROM scratch AS b\nCOPY package.json /\n";
  const other = await list(file, { target: "a" });
  assert.deepEqual([pathsOf(other.entries, "read"), other.images.length], [["docs/d.md"], 1]);
  const last = await list(file);
  assert.deepEqual([pathsOf(last.entries, "read"), last.images], [["package.json"], []]);
});

test("listContext() takes build arguments", async () => {
  const file = "FROM scratch\nARG WHAT=docs\nCOPY $WHAT /\n";
  assert.deepEqual(pathsOf((await list(file, { buildArgs: { WHAT: "src/a.ts" } })).entries, "read"), ["src/a.ts"]);
});

test("listContext() takes an included directory back out of an excluded one", async () => {
  const files = { "a/b/c.txt": "1", "a/d.txt": "2", "a/e/f.txt": "3", ".dockerignore": "*\n!a/b\n" };
  const { entries } = await list("FROM scratch\nCOPY a /a\n", {}, files);
  assert.deepEqual(pathsOf(entries, "read"), ["a/b/c.txt"]);
  assert.deepEqual(pathsOf(entries, "excluded"), [".dockerignore", "Dockerfile", "a/d.txt", "a/e/", "link"]);
});
