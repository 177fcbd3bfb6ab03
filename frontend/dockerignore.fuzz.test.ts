import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../cache/errors.js";
import { compilePatterns } from "../cache/tree/patterns.js";
import { mutated, random } from "../fixtures/fuzz.js";
import { parseIgnore } from "./dockerignore.js";

const snippets = [
  "\n", "\r\n", "!", "#", "*", "**", "**/", "/", "./", "../", "?", "[", "]", "[a-c]", "[^a]", "[!a]", "\\", "\\*", " ", "\t", "a", "b", "a/b", ".",
  "..", "{a,b}", "+", "(", ")", "|", "$", "^", "\uFEFF", "\u0000", "🚀", "\ud800", "-", "[z-a]", "[]a]",
];

test("ignore files only ever fail with a named pattern, on 40,000 random files", () => {
  const next = random(5);
  for (let round = 0; round < 40_000; round++) {
    const text = mutated(next, snippets);
    const path = mutated(next, ["a", "b", "/", ".", "c.log", "🚀", "*"]).replace(/^\/+/, "");
    try {
      compilePatterns(parseIgnore(text)).matches(path);
    } catch (error) {
      assert.ok(hasCode(error, "invalid_argument"), `${JSON.stringify(text)} on ${JSON.stringify(path)}: ${String((error as Error).stack)}`);
    }
  }
});

for (const unit of ["*", "**/", "a*", "[a]", "?", "*a*b", "**/a/", "!a\n", "\\"]) {
  test(`a pattern of ${JSON.stringify(unit)} repeated is matched without backtracking forever`, { timeout: 60_000 }, () => {
    try {
      compilePatterns(parseIgnore(unit.repeat(4_000 / unit.length))).matches("a/".repeat(2_000) + "b");
      compilePatterns(parseIgnore(unit.repeat(30))).matches("a".repeat(5_000));
    } catch (error) {
      assert.ok(hasCode(error, "invalid_argument"));
    }
  });
}
