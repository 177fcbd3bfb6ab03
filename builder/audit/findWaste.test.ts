import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangedPath } from "../../cache/bulk/layerJobs.js";
import { findWaste } from "./findWaste.js";

const file = (path: string, size = 10): ChangedPath => ({ path, kind: "file", size });
const dir = (path: string): ChangedPath => ({ path, kind: "directory", size: 0 });
const gone = (path: string): ChangedPath => ({ path, kind: "gone", size: 0 });

test("findWaste() finds files that a later layer deletes, replaces or hides with their directory", () => {
  const waste = findWaste([
    [file("a"), dir("d"), file("d/b", 5), file("d/c", 7), file("kept")],
    [gone("a"), dir("d"), file("d/b", 6)],
    [gone("d"), file("other")],
  ]);
  const shown = waste.map(({ writer, hider, bytes, files }) => [writer, hider, bytes, files.map(({ path }) => path).join()]);
  assert.deepEqual(shown.sort(), [[0, 1, 15, "a,d/b"], [0, 2, 7, "d/c"], [1, 2, 6, "d/b"]]);
});

test("findWaste() knows opaque directories and files that take a directory's place", () => {
  assert.equal(findWaste([[dir("d"), file("d/a")], [{ path: "d", kind: "opaque", size: 0 }]]).length, 1);
  assert.equal(findWaste([[dir("d"), file("d/a")], [file("d")]])[0]!.bytes, 10);
});

test("findWaste() is silent about directories that are only touched, empty files and what stays", () => {
  assert.deepEqual(findWaste([[dir("d"), file("d/a"), file("e", 0)], [dir("d"), file("d/b"), gone("e")]]), []);
});
