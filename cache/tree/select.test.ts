import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import { selectRoots } from "./select.js";
import { copySelection, tempTree } from "./tempTree.fixture.js";
import type { Selection } from "../bulk/hashJobs.js";

const root = tempTree({
  "a.txt": "a", "b.txt": "b", "src/main.c": "m", "src/lib/x.c": "x", "src/lib/y.h": "y", "etc/passwd": "inside", "[odd]": "o",
  "away": "-> /etc", "up": "-> ../../../../etc/passwd", "loop": "-> loop", "broken": "-> nowhere", "deep/link": "-> ../src",
});
const select = (path: string, change: Partial<Selection> = {}, ignore: string[] = []) =>
  selectRoots(root, ignore, copySelection(path, change))
    .map(({ treePath, name }) => (treePath === name ? name : `${name}=${treePath}`));

const rows: readonly [path: string, found: string[]][] = [
  ["a.txt", ["a.txt"]], ["/a.txt", ["a.txt"]], ["../../a.txt", ["a.txt"]], ["./src/", ["src"]], ["/", [""]], [".", [""]],
  ["*.txt", ["a.txt", "b.txt"]], ["src/*/?.c", ["x.c=src/lib/x.c"]], ["src/*", ["lib=src/lib", "main.c=src/main.c"]],
  ["away/passwd", ["passwd=etc/passwd"]], ["away", ["away=etc"]], ["up", ["up=etc/passwd"]], ["away/*", ["passwd=etc/passwd"]],
  ["deep/link/main.c", ["main.c=src/main.c"]], ["\\[odd\\]", ["[odd]"]], ["[a]*", ["a.txt", "away=etc"]],
  ["src/../a.txt", ["a.txt"]],
];

test("selectRoots() finds paths and wildcards and stays inside the root", () => {
  for (const [path, found] of rows) assert.deepEqual(select(path), found, path);
});

test("selectRoots() keeps the last link when it is not to be followed", () => {
  assert.deepEqual(select("away", { followSymlink: false }), ["away"]);
  assert.deepEqual(select("deep/link/main.c", { followSymlink: false }), ["main.c=src/main.c"]);
});

test("selectRoots() fails for what is missing, unless wildcards may match nothing", () => {
  for (const path of ["nope", "src/nope", "broken", "no*", "a.txt/x"]) {
    assert.throws(() => select(path), (e) => hasCode(e, "not_found"), path);
  }
  assert.deepEqual(select("no*", { allowEmpty: true }), []);
  assert.throws(() => select("nope", { allowEmpty: true }), /Cannot find "nope" in the build context/);
  assert.deepEqual(select("nope", { allowEmpty: true, wildcard: false }), []);
  assert.throws(() => select("loop"), (e) => hasCode(e, "invalid_argument"));
  assert.throws(() => select("[z"), (e) => hasCode(e, "invalid_argument"));
});

test("selectRoots() does not see ignored paths, but directories with something taken back", () => {
  assert.deepEqual(select("*.txt", {}, ["b.txt"]), ["a.txt"]);
  assert.throws(() => select("src", {}, ["src"]), (e) => hasCode(e, "not_found"));
  assert.deepEqual(select("src", {}, ["src", "!src/lib/x.c"]), ["src"]);
  assert.throws(() => select("src", {}, ["src", "!src/none"]), (e) => hasCode(e, "not_found"));
  assert.throws(() => select("src/main.c", {}, ["src"]), (e) => hasCode(e, "not_found"));
});
