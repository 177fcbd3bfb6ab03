import assert from "node:assert/strict";
import test from "node:test";
import { parseGlob, removePrefix, removeSuffix, replaceGlob } from "./glob.js";

const glob = (pattern: string) => parseGlob(pattern)!;

test("parseGlob() refuses a backslash before anything but * ? \\ } and /", () => {
  for (const pattern of ["\\", "\\x", "\\\\\\", "a\\b"]) assert.equal(parseGlob(pattern), null, pattern);
  assert.equal(parseGlob("\\*\\?\\\\\\}\\/")?.length, 5);
});

const prefixes: readonly [string, string, string, string][] = [
  ["xxyy", "*x", "xyy", "yy"],
  ["xxyy", "*", "xxyy", ""],
  ["xxyy", "", "xxyy", "xxyy"],
  ["xxyy", "y", "xxyy", "xxyy"],
  ["xxyy", "*x*y", "y", ""],
  ["a\nb", "*", "a\nb", "\nb"],
  ["a\nb", "a?b", "a\nb", "a\nb"],
  ["🚀x", "?", "x", "x"],
  ["(.)", "(.", ")", ")"],
];

for (const [value, pattern, shortest, longest] of prefixes) {
  test(`removePrefix(${JSON.stringify(value)}, "${pattern}")`, () => {
    assert.equal(removePrefix(value, glob(pattern), "shortest"), shortest);
    assert.equal(removePrefix(value, glob(pattern), "longest"), longest);
  });
}

const suffixes: readonly [string, string, string, string][] = [
  ["a.tar.gz", ".*", "a.tar", "a"],
  ["xx**", "\\**", "xx*", "xx"],
  ["a***yy*", "\\**\\*", "a**", "a"],
  ["abc", "x", "abc", "abc"],
];

for (const [value, pattern, shortest, longest] of suffixes) {
  test(`removeSuffix(${JSON.stringify(value)}, "${pattern}")`, () => {
    assert.equal(removeSuffix(value, glob(pattern), "shortest"), shortest);
    assert.equal(removeSuffix(value, glob(pattern), "longest"), longest);
  });
}

const replacements: readonly [string, string, string, string, string][] = [
  ["/tmp/tmp/x", "/tmp", "", "/tmp/x", "/x"],
  ["aXbXc", "X", "-", "a-bXc", "a-b-c"],
  ["abab", "a*b", "-", "-", "-"],
  ["abab", "b?", "-", "a-b", "a-b"],
  ["aaa", "?", "bb", "bbaa", "bbbbbb"],
  ["xy", "", "-", "-xy", "-x-y-"],
  ["abc", "z", "-", "abc", "abc"],
  ["a", "a", "$&", "$&", "$&"],
];

for (const [value, pattern, by, first, all] of replacements) {
  test(`replaceGlob("${value}", "${pattern}", "${by}")`, () => {
    assert.equal(replaceGlob(value, glob(pattern), by, "first").join(""), first);
    assert.equal(replaceGlob(value, glob(pattern), by, "all").join(""), all);
  });
}

test("replaceGlob() and removePrefix() agree with a backtracking RegExp on random small inputs", () => {
  let seed = 7;
  const pick = (text: string) => text[(seed = (seed * 48271) % 2147483647) % text.length]!;
  for (let round = 0; round < 3000; round++) {
    const value = Array.from({ length: round % 9 }, () => pick("abc")).join("");
    const pattern = Array.from({ length: round % 6 }, () => pick("ab*?")).join("");
    const regexp = pattern.replaceAll("?", ".").replaceAll("*", ".*");
    const shown = `${value} ${pattern}`;
    assert.equal(replaceGlob(value, glob(pattern), "-", "first").join(""), value.replace(new RegExp(regexp), "-"), shown);
    assert.equal(removePrefix(value, glob(pattern), "longest"), value.replace(new RegExp(`^${regexp}`), ""), shown);
    const lazy = new RegExp(`^${pattern.replaceAll("?", ".").replaceAll("*", ".*?")}`);
    assert.equal(removePrefix(value, glob(pattern), "shortest"), value.replace(lazy, ""), shown);
  }
});

test("removePrefix() does not explode on many stars", () => {
  const value = "a".repeat(5000);
  assert.equal(removePrefix(value, glob(`${"a*".repeat(50)}b`), "longest"), value);
});
