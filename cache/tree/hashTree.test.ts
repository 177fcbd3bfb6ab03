import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import type { HashTreeInput } from "../bulk/hashJobs.js";
import { hasCode } from "../errors.js";
import { hashTree, hashTrees } from "./hashTree.js";
import { copySelection, quiet, tempDir, tempTree } from "./tempTree.fixture.js";

const entries = { "a": "1", "d/b": "22", "d/c": "333", "d/e/": "", "l": "-> a" };
const defaults = { ignore: [], ignoreOwners: true, hashCache: null, maxFiles: 100 };
const run = (root: string, path = "/", change: Partial<HashTreeInput> = {}) =>
  hashTree({ ...defaults, root, selections: [copySelection(path)], ...change }, quiet);
const digest = (...args: Parameters<typeof run>) => run(...args).digest;

test("hashTree() has not changed its form: every content key depends on it", () => {
  const root = tempTree({ "f": "x" });
  fs.chmodSync(`${root}/f`, 0o644);
  assert.equal(digest(root, "f"), "sha256:26a2092228f72e07572ee79cd6e753360a2db652dabec2d9def06886f47cdd3a");
});

test("hashTree() sees content, modes, links and names, but no times", () => {
  const [one, two] = [tempTree(entries), tempTree(entries)];
  const same = digest(one);
  fs.utimesSync(`${two}/a`, 1, 1);
  assert.equal(digest(two), same);
  const changes: ((root: string) => void)[] = [
    (r) => fs.writeFileSync(`${r}/a`, "2"), (r) => fs.chmodSync(`${r}/a`, 0o600), (r) => fs.chmodSync(`${r}/d/e`, 0o700),
    (r) => fs.renameSync(`${r}/d/b`, `${r}/d/x`), (r) => fs.rmdirSync(`${r}/d/e`),
    (r) => { fs.unlinkSync(`${r}/l`); fs.symlinkSync("b", `${r}/l`); },
    (r) => execFileSync("setfattr", ["-n", "user.k", "-v", "v", `${r}/a`]),
    (r) => execFileSync("mkfifo", [`${r}/p`]),
  ];
  for (const change of changes) {
    const changed = tempTree(entries);
    change(changed);
    assert.notEqual(digest(changed), same, change.toString());
  }
});

test("hashTree() of a directory's content depends on neither its name nor its mode", () => {
  const root = tempTree({ "x/f": "1", "y/f": "1" });
  fs.chmodSync(`${root}/y`, 0o700);
  assert.equal(digest(root, "x"), digest(root, "y/"));
  const named = (path: string) => digest(root, "", { selections: [copySelection(path, { dirContents: false })] });
  assert.notEqual(named("x"), named("y"));
});

test("hashTree() leaves owners out when told", () => {
  const root = tempTree({ "f": "1" });
  const [ignored, kept] = [digest(root), digest(root, "/", { ignoreOwners: false })];
  fs.chownSync(`${root}/f`, 1, 2);
  assert.equal(digest(root), ignored);
  assert.notEqual(digest(root, "/", { ignoreOwners: false }), kept);
});

test("hashTree() obeys ignore rules and patterns, with directories on the way to what is taken back", () => {
  const root = tempTree({ "a/x": "1", "a/y": "2", "b": "3" });
  const only = tempTree({ "a/y": "2" });
  assert.equal(digest(root, "/", { ignore: ["*", "!a/y"] }), digest(only));
  assert.equal(digest(root, "", { selections: [copySelection("/", { include: ["a/y"] })] }), digest(only));
  assert.equal(digest(root, "", { selections: [copySelection("/", { exclude: ["b", "**/x"] })] }), digest(only));
});

test("hashTree() lists entries up to a limit", () => {
  const root = tempTree(entries);
  const { listing, files, bytes } = run(root, "d");
  assert.deepEqual(Object.keys(listing!), ["d", "d/b", "d/c", "d/e"]);
  assert.deepEqual([files, bytes], [4, 5]);
  assert.equal(run(root, "d", { maxFiles: 3 }).listing, null);
});

test("hashTree() reads known files only once, and changed ones again", () => {
  const root = tempTree(entries);
  const hashCache = `${tempDir()}/filehash.lmdb`;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120);
  const first = run(root, "/", { hashCache });
  const second = run(root, "/", { hashCache });
  assert.deepEqual([first.bytesRead, second.bytesRead], [6, 0]);
  assert.equal(second.digest, first.digest);
  fs.writeFileSync(`${root}/a`, "9");
  const third = run(root, "/", { hashCache });
  assert.equal(third.bytesRead, 1);
  assert.equal(third.digest, digest(root));
});

test("hashTree() does not remember a file that has just changed", () => {
  const root = tempTree({ "f": "1" });
  const hashCache = `${tempDir()}/filehash.lmdb`;
  run(root, "/", { hashCache });
  assert.equal(run(root, "/", { hashCache }).bytesRead, 1);
});

test("hashTree() keeps names that are not UTF-8 apart", () => {
  const [one, two] = [tempDir(), tempDir()];
  fs.writeFileSync(Buffer.concat([Buffer.from(`${one}/`), Buffer.of(0xff)]), "x");
  fs.writeFileSync(Buffer.concat([Buffer.from(`${two}/`), Buffer.of(0xfe)]), "x");
  assert.notEqual(digest(one), digest(two));
});

test("hashTree() hashes a large file in pieces", () => {
  const root = tempTree({ "f": "" });
  fs.writeFileSync(`${root}/f`, Buffer.alloc(3_000_001, 7));
  const again = tempTree({ "f": "" });
  fs.writeFileSync(`${again}/f`, Buffer.alloc(3_000_001, 7));
  assert.equal(digest(root), digest(again));
});

test("hashTree() says not_found for what is not there", () => {
  assert.throws(() => run(tempTree({}), "nope"), (e) => hasCode(e, "not_found"));
});

test("hashTrees() gives each group what hashTree() gives it, and one that fails fails alone", () => {
  const root = tempTree(entries);
  const groups = [[copySelection("a")], [copySelection("missing")], [copySelection("d")]];
  const [a, missing, d] = hashTrees({ ...defaults, root, groups }, quiet);
  assert.deepEqual(a, { output: run(root, "a") });
  assert.deepEqual(d, { output: run(root, "d") });
  assert.ok(missing !== undefined && "error" in missing);
  assert.equal(missing.error.code, "not_found");
});
