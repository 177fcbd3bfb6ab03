import assert from "node:assert/strict";
import { test } from "node:test";
import { mirror } from "./mirror.js";
import { listTree, quiet, tempDir, tempTree } from "./tempTree.fixture.js";

test("mirror() removes what no tree has, and keeps the rest as it is", () => {
  const path = tempTree({ "a/x": "old", "a/gone": "1", "b/deep/gone": "2", "both": "3", "l": "-> a" });
  mirror({ path, trees: [{ root: tempTree({ "a/x": "new" }), under: "" }, { root: tempTree({ both: "", "b/": "", l: "-> b" }), under: "" }] }, quiet);
  assert.deepEqual(listTree(path), { "a/x": "old", "b/": "", both: "3", l: "-> a" });
});

test("mirror() removes a directory where a tree has a file, and a file or link where it has a directory", () => {
  const elsewhere = tempTree({ safe: "1" });
  const path = tempTree({ "file/x": "", "dir": "1", "link": `-> ${elsewhere}` });
  mirror({ path, trees: [{ root: tempTree({ file: "", "dir/y": "", "link/z": "" }), under: "" }] }, quiet);
  assert.deepEqual([listTree(path), listTree(elsewhere)], [{}, { safe: "1" }]);
});

test("mirror() keeps directories of platforms, with what is in them", () => {
  const path = tempTree({ "linux_arm64/a": "", "linux_arm64/gone": "", "linux_s390x/a": "", "own": "" });
  mirror({ path, trees: [{ root: tempTree({ a: "" }), under: "linux_arm64" }, { root: tempTree({ a: "" }), under: "linux_amd64" }] }, quiet);
  assert.deepEqual(listTree(path), { "linux_arm64/a": "" });
});

test("mirror() of a directory that is not there does nothing", () => {
  assert.equal(mirror({ path: `${tempDir()}/none`, trees: [] }, quiet), null);
});
