import assert from "node:assert/strict";
import test from "node:test";
import { suggest } from "./suggest.js";

const flags = ["from", "chown", "chmod", "link", "exclude"];
const rows: readonly [string, string | null][] = [
  ["form", "from"],
  ["chwon", "chown"],
  ["lnik", "link"],
  ["LINK", "link"],
  ["cohwm", "chown"],
  ["exclud", "exclude"],
  ["from", null],
  ["platform", null],
  ["", null],
  ["x".repeat(1_000_000), null],
];

for (const [word, expected] of rows) {
  test(`suggest("${word.slice(0, 10)}") is ${expected}`, () => assert.equal(suggest(word, flags), expected));
}
