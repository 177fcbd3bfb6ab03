import assert from "node:assert/strict";
import test from "node:test";
import { skipPlain, splitBlanks, splitWords, trimSpaces } from "./words.js";

const rows: readonly [string, readonly string[]][] = [
  ["", []],
  ["a b", ["a", "b"]],
  ["  a \t b  ", ["a", "b"]],
  ['a="b c" d', ['a="b c"', "d"]],
  ["a='b c' d", ["a='b c'", "d"]],
  ["a=b\\ c d", ["a=b\\ c", "d"]],
  ['a="b\\" c" d', ['a="b\\" c"', "d"]],
  ["a='b\\' c", ["a='b\\'", "c"]],
  ['a="never closed b', ['a="never closed b']],
  ['""', ['""']],
  ["a\\", ["a"]],
  ["a \\", ["a"]],
  ['"a\\', ['"a']],
  ["'a\\", ["'a\\"]],
  ["한 국", ["한", "국"]],
];

for (const [text, expected] of rows) {
  test(`splitWords(${JSON.stringify(text)})`, () => {
    const words = splitWords(text, "\\");
    assert.deepEqual(words.map((word) => word.text), expected);
    for (const word of words) assert.ok(text.startsWith(word.text, word.start));
  });
}

test("splitWords() follows the escape directive", () => {
  assert.deepEqual(splitWords("a` b c\\ d", "`").map((word) => word.text), ["a` b", "c\\", "d"]);
});

test("splitBlanks() knows no quotes and trimSpaces() knows Unicode's white space", () => {
  assert.deepEqual(splitBlanks(' "a b"\tc '), ['"a', 'b"', "c"]);
  assert.equal(trimSpaces("\u0085\u00a0 a b \u3000"), "a b");
});

test("skipPlain() stops where a word may end, be quoted or escaped, and at the end", () => {
  const offsets = ["a-b c", "a=\"b", "a'b", "a\\b", "a`b", "aéb", "~!#", ""].map((text) => skipPlain(text, 0));
  assert.deepEqual(offsets, [3, 2, 1, 1, 1, 1, 3, 0]);
  assert.equal(skipPlain("ab", 5), 5);
});
