import assert from "node:assert/strict";
import { test } from "node:test";
import { wordRange } from "./wordRange.js";

const text = "FROM scratch\nCOPY ./a/b \\\n  [\"x y\", 'c'] /dst/\nRUN --mount=source=src,target=/x true\n";
const range = (line: number, from: number, to: number) => ({ file: "f", start: { line, column: from }, end: { line, column: to } });
const copy = { ...range(2, 1, 20), end: { line: 3, column: 20 } };
const run = range(4, 1, 40);

const rows = [
  ["a path as written", copy, "/a/b", range(2, 6, 10)],
  ["a quoted path on a later line", copy, "/c", range(3, 12, 12)],
  ["an option's value", run, "/src", range(4, 20, 22)],
  ["nothing, and keeps the instruction", copy, "/other", copy],
  ["nothing outside of the instruction", run, "/c", run],
] as const;

for (const [what, at, path, expected] of rows) {
  test(`wordRange() finds ${what}`, () => assert.deepEqual(wordRange(at, text, path), expected));
}
