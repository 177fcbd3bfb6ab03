import assert from "node:assert/strict";
import test from "node:test";
import type { SourceRange } from "../cache/errors.js";
import { excerpt } from "./excerpt.js";
import { createPaint } from "./paint.js";

const lines = (first: number, last = first): SourceRange => ({ file: "f", start: { line: first, column: 1 }, end: { line: last, column: 5 } });
const columns = (from: number, to: number): SourceRange => ({ file: "f", start: { line: 1, column: from }, end: { line: 1, column: to } });
const options = { columns: 80, paint: createPaint(false) };
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `L${index + 1}`).join("\n");

test("excerpt() shows the last line for an error at the end", () => {
  assert.equal(excerpt("a\nb\n", lines(3), options), "  1 |     a\n  2 | >>> b");
});

test("excerpt() shows an empty file", () => {
  assert.equal(excerpt("", lines(1), options), "  1 | >>>");
});

test("excerpt() is as wide as its largest line number", () => {
  assert.equal(excerpt(numbered(12), lines(9), options), "   7 |     L7\n   8 |     L8\n   9 | >>> L9\n  10 |     L10\n  11 |     L11");
});

test("excerpt() cuts a range of many lines", () => {
  const text = excerpt(numbered(40), lines(3, 30), options);
  assert.deepEqual(text.split("\n").slice(-2), ["  10 | >>> L10", "     | >>> … and 20 more lines"]);
});

test("excerpt() marks the columns of a range below its line", () => {
  assert.equal(excerpt("COPY a b c /", columns(8, 8), options), "  1 | >>> COPY a b c /\n    |            ^");
  assert.equal(excerpt("RUN --mont=x y", columns(5, 12), options), "  1 | >>> RUN --mont=x y\n    |         ^^^^^^^^");
});

test("excerpt() shows no login of a URL, and marks the same columns", () => {
  assert.equal(excerpt("ADD https://ann:pw@h/x /x", columns(24, 25), options), "  1 | >>> ADD https://******@h/x /x\n    |                            ^^");
  assert.equal(excerpt("ADD ssh://git@h/x.git /x", lines(1), options), "  1 | >>> ADD ssh://git@h/x.git /x");
});

test("excerpt() has no caret where the line begins", () => {
  assert.equal(excerpt("  COPPY a", columns(3, 7), options), "  1 | >>>   COPPY a");
});

test("excerpt() counts tabs and wide letters as the terminal does", () => {
  assert.equal(excerpt("ENV\t鍵=値 bad", columns(9, 11), options), "  1 | >>> ENV    鍵=値 bad\n    |                  ^^^");
});

test("excerpt() cuts a long line around the place", () => {
  const line = `RUN ${"a".repeat(200)} HERE ${"b".repeat(200)}`;
  const [shown, caret] = excerpt(line, columns(206, 209), { ...options, columns: 60 }).split("\n");
  assert.match(shown!, /^ {2}1 \| >>> …a+ HERE b+…$/);
  assert.ok(shown!.length <= 60, shown);
  assert.equal(caret!.indexOf("^^^^"), shown!.indexOf("HERE"));
});

test("excerpt() keeps the start of a long line that begins with the place", () => {
  const [shown] = excerpt(`RUN ${"a".repeat(200)}`, lines(1), { ...options, columns: 60 }).split("\n");
  assert.match(shown!, /^ {2}1 \| >>> RUN a+…$/);
});

test("excerpt() leaves out what would move the cursor", () => {
  assert.equal(excerpt("RUN \u001b[2J\u0007x", lines(1), options), "  1 | >>> RUN x");
});
