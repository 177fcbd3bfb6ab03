import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import type { ExportTreeInput } from "../bulk/exportJobs.js";
import { hasCode } from "../errors.js";
import { exportTree } from "./exportTree.js";
import { listTree, quiet, tempDir, tempTree } from "./tempTree.fixture.js";

const toDirectory = (root: string, path: string, clampMtime: number | null = null) =>
  exportTree({ root, to: { kind: "directory", path }, clampMtime }, quiet);

function toTar(root: string, clampMtime: number | null = null): Buffer {
  const chunks: Uint8Array[] = [];
  exportTree({ root, to: { kind: "tar", into: "", after: [], last: true }, clampMtime }, { tick() {}, emit: (chunk) => chunks.push(chunk) });
  return Buffer.concat(chunks);
}

function sample(): string {
  const root = tempTree({ "bin/tool": "run", "etc/l": "-> /bin/tool", "empty/": "" });
  fs.linkSync(`${root}/bin/tool`, `${root}/bin/tool2`);
  fs.chmodSync(`${root}/bin/tool`, 0o4755);
  fs.chownSync(`${root}/etc`, 12, 13);
  fs.utimesSync(`${root}/etc`, 100, 100);
  return root;
}

test("exportTree() merges into a directory with modes, owners, times and hard links", () => {
  const out = tempTree({ "own": "mine", "bin/tool": "old", "etc/other": "mine" });
  toDirectory(sample(), out);
  assert.deepEqual(listTree(out), {
    "bin/tool": "run", "bin/tool2": "run", "empty/": "", "etc/l": "-> /bin/tool", "etc/other": "mine", "own": "mine",
  });
  const [tool, etc] = [fs.statSync(`${out}/bin/tool`), fs.statSync(`${out}/etc`)];
  assert.deepEqual([tool.mode & 0o7777, tool.nlink, etc.uid, etc.gid, etc.mtimeMs], [0o4755, 2, 12, 13, 100_000]);
});

test("exportTree() makes the directory and follows no link below it", () => {
  const out = `${tempDir()}/new/out`;
  toDirectory(tempTree({ "a/x": "1" }), out);
  assert.deepEqual(listTree(out), { "a/x": "1" });
  const elsewhere = tempTree({ "x": "safe" });
  const linked = tempTree({ "a": `-> ${elsewhere}` });
  toDirectory(tempTree({ "a/x": "1" }), linked);
  assert.deepEqual([listTree(linked), listTree(elsewhere)], [{ "a/x": "1" }, { "x": "safe" }]);
});

test("exportTree() removes no directory of the user's for a file", () => {
  assert.throws(() => toDirectory(tempTree({ "a": "file" }), tempTree({ "a/x": "mine" })), (e) => hasCode(e, "invalid_argument"));
});

test("exportTree() clamps times from above", () => {
  const [root, out] = [sample(), tempDir()];
  toDirectory(root, out, 200);
  assert.deepEqual([fs.statSync(`${out}/etc`).mtimeMs, fs.statSync(`${out}/empty`).mtimeMs], [100_000, 200_000]);
});

test("exportTree() emits a tar that tar(1) reads, the same every time", () => {
  const root = sample();
  const tar = toTar(root, 200);
  assert.equal(tar.equals(toTar(root, 200)), true);
  const out = tempDir();
  execFileSync("tar", ["-x", "-p", "--same-owner", "-C", out], { input: tar });
  assert.deepEqual(listTree(out), listTree(root));
  assert.equal(fs.statSync(`${out}/bin/tool`).ino, fs.statSync(`${out}/bin/tool2`).ino);
  const names = execFileSync("tar", ["-t"], { input: tar, encoding: "utf8" }).trim().split("\n");
  assert.deepEqual(names, ["bin/", "bin/tool", "bin/tool2", "empty/", "etc/", "etc/l"]);
});

test("exportTree() puts trees one after the other into one tar, each below its own directory or where others left room", () => {
  const chunks: Uint8Array[] = [];
  const part = (root: string, to: Omit<Extract<ExportTreeInput["to"], { kind: "tar" }>, "kind">) =>
    exportTree({ root, to: { kind: "tar", ...to }, clampMtime: 0 }, { tick() {}, emit: (chunk) => chunks.push(chunk) });
  const [one, other] = [sample(), tempTree({ "bin/tool": "other", "bin/more": "2" })];
  part(one, { into: "one", after: [], last: false });
  part(one, { into: "", after: [], last: false });
  part(other, { into: "", after: [one], last: true });
  const out = tempDir();
  execFileSync("tar", ["-x", "-C", out], { input: Buffer.concat(chunks) });
  const own = Object.fromEntries(Object.entries(listTree(one)).map(([name, content]) => [`one/${name}`, content]));
  assert.deepEqual(listTree(out), { ...listTree(one), ...own, "bin/more": "2" });
});
