import assert from "node:assert/strict";
import { test } from "node:test";
import { linearMatch } from "./linearMatch.js";

/** Park-Miller: the same inputs in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48271) % 2147483647) % below;
}

const pieces = ["a", "b", "/", "\\.", "\\*", "\\u{2d}", "[^/]", "[^/]*", "[ab]", "[^a]*", ".*", "(.*/)?", "[\\]a]", "x"];

test("linearMatch() agrees with regular expressions on 20,000 random patterns", () => {
  const next = random(9);
  for (let round = 0; round < 20_000; round++) {
    const source = Array.from({ length: 1 + next(5) }, () => pieces[next(pieces.length)]!).join("");
    const path = Array.from({ length: next(9) }, () => "ab/.*-x]"[next(8)]!).join("");
    assert.equal(linearMatch(source)(path), new RegExp(`^${source}$`, "u").test(path), `${source} on ${path}`);
  }
});

test("linearMatch() ends where backtracking does not", { timeout: 60_000 }, () => {
  assert.equal(linearMatch("[^/]*a[^/]*b".repeat(40) + "c")("ab".repeat(2_000)), false);
  assert.equal(linearMatch("(.*/)?a/".repeat(200) + "b")("a/".repeat(1_000) + "c"), false);
});
