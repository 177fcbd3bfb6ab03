import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import { globMatcher, hasWildcards } from "./glob.js";

// Source: rows of Go's path/filepath match_test.go and our own.
const rows: readonly [pattern: string, name: string, expected: boolean | "bad"][] = [
  ["abc", "abc", true], ["*", "abc", true], ["*c", "abc", true], ["a*", "a", true], ["a*", "abc", true],
  ["a*/b", "a/c/b", false], ["a*b*c*d*e*", "axbxcxdxe", true], ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false], ["ab[c]", "abc", true], ["ab[b-d]", "abc", true], ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false], ["ab[^b-d]", "abc", false], ["ab[^e-g]", "abc", true], ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false], ["a?b", "a☺b", true], ["a[^a]b", "a☺b", true], ["a???b", "a☺b", false],
  ["[a-ζ]*", "α", true], ["*[a-ζ]", "A", false], ["a?b", "a/b", false], ["[\\]a]", "]", true], ["[\\-]", "-", true],
  ["[x\\-]", "x", true], ["[x\\-]", "-", true], ["[\\-x]", "a", false], ["[]a]", "]", "bad"], ["[-]", "-", "bad"],
  ["[x-]", "x", "bad"], ["[-x]", "x", "bad"], ["\\", "a", "bad"], ["[a-b-c]", "a", "bad"], ["[", "a", "bad"],
  ["[^", "a", "bad"], ["[^bc", "a", "bad"], ["a[", "ab", "bad"], ["*x", "xxx", true], ["[!a]", "!", true], ["[!a]", "b", false],
  ["[z-a]", "b", false], ["[^z-a]", "b", true], ["a.b", "axb", false], ["*", ".hidden", true],
];

test("globMatcher() agrees with Go's filepath.Match", () => {
  for (const [pattern, name, expected] of rows) {
    if (expected === "bad") assert.throws(() => globMatcher(pattern), (e) => hasCode(e, "invalid_argument"), pattern);
    else assert.equal(globMatcher(pattern)(Buffer.from(name).toString("latin1")), expected, `${pattern} ${name}`);
  }
});

test("hasWildcards() looks through escapes", () => {
  assert.deepEqual(["a", "a*", "a\\*", "\\\\*", "a[", "b?"].map(hasWildcards), [false, true, false, true, true, true]);
});
