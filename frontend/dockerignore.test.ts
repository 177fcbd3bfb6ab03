import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIgnore, parseNumberedIgnore } from "./dockerignore.js";

const cases: readonly (readonly [why: string, text: string, expected: readonly string[]])[] = [
  ["drops blank lines, comments and blanks around", "# c\n\n  a  \n\t\nb\r\n", ["a", "b"]],
  ["takes # after a blank as a pattern", " #x\n", ["#x"]],
  ["drops a byte order mark, also before a comment", "\uFEFF# c\na", ["a"]],
  ["drops the leading slash", "/a\n/\n//b", ["a", "/", "b"]],
  ["cleans paths", "./a/../b/\n.\na//b", ["b", ".", "a/b"]],
  ["keeps ! in front and trims after it", "!a\n! /b/\n!", ["!a", "!b", "!"]],
  ["keeps wildcards", "**/*.go\n*/x?[a-b]", ["**/*.go", "*/x?[a-b]"]],
];

for (const [why, text, expected] of cases) {
  test(`parseIgnore() ${why}`, () => assert.deepEqual(parseIgnore(text), expected));
}

test("parseNumberedIgnore() keeps the line of each rule", () => {
  assert.deepEqual(parseNumberedIgnore("\uFEFF# c\n\n*.log\r\n  \n! keep.log\n"), { rules: ["*.log", "!keep.log"], lines: [3, 5] });
});
