import assert from "node:assert/strict";
import test from "node:test";
import { cutToWidth, displayWidth, padToWidth } from "./width.js";

test("displayWidth() counts columns, not characters", () => {
  assert.deepEqual(["abc", "日本", "ä", "a\u0308", "😀", "…", ""].map(displayWidth), [3, 4, 1, 1, 2, 1, 0]);
});

test("cutToWidth() never exceeds the columns", () => {
  assert.equal(cutToWidth("abcdef", 6), "abcdef");
  assert.equal(cutToWidth("abcdef", 4), "abc…");
  assert.equal(cutToWidth("日本語", 4), "日…");
  assert.equal(cutToWidth("日本語", 5), "日本…");
  assert.equal(cutToWidth("😀😀", 1), "…");
});

test("padToWidth() fills with blanks", () => {
  assert.equal(padToWidth("日", 4), "日  ");
  assert.equal(padToWidth("long", 2), "long");
});
