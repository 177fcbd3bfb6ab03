import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { findOverlap } from "./overlap.js";
import { quiet, tempTree } from "./tempTree.fixture.js";

const overlap = (...trees: readonly Readonly<Record<string, string>>[]) => findOverlap({ roots: trees.map(tempTree) }, quiet);

test("findOverlap() finds nothing where trees are apart or the same", () => {
  assert.equal(overlap({ "a/x": "1", "l": "-> t" }, { "a/y": "2", "l": "-> t" }, { "a/x": "1" }), null);
  assert.equal(overlap({}, { a: "" }), null);
});

const differing: readonly (readonly [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, string])[] = [
  ["bytes", { "a/x": "12" }, { "a/x": "13" }, "a/x"],
  ["size", { x: "1" }, { x: "12" }, "x"],
  ["targets of links", { l: "-> one" }, { l: "-> other" }, "l"],
  ["a file and a directory", { x: "" }, { "x/y": "" }, "x"],
  ["a directory and a link to one", { "x/y": "" }, { "real/y": "", x: "-> real" }, "x"],
];

for (const [what, one, other, path] of differing) {
  test(`findOverlap() finds ${what} that differ`, () => assert.deepEqual(overlap({ z: "" }, one, other), { path, first: 1, second: 2 }));
}

test("findOverlap() finds modes that differ, and no times", () => {
  const [one, other] = [tempTree({ x: "1" }), tempTree({ x: "1" })];
  fs.utimesSync(`${one}/x`, 1, 1);
  assert.equal(findOverlap({ roots: [one, other] }, quiet), null);
  fs.chmodSync(`${other}/x`, 0o755);
  assert.equal(findOverlap({ roots: [one, other] }, quiet)?.path, "x");
});
