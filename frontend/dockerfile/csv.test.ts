import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCsv } from "./csv.js";

test("splitCsv() splits at commas outside quotes", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "a=1,b": ["a=1", "b"],
    "": [""],
    "a,": ["a", ""],
    ",,a": ["", "", "a"],
    '"a,b",c': ["a,b", "c"],
    '"say ""hi""",c': ['say "hi"', "c"],
    '""': [""],
  };
  for (const [text, fields] of Object.entries(cases)) assert.deepEqual(splitCsv(text), fields, text);
});

test("splitCsv() refuses quotes inside a field, and open ones", () => {
  for (const text of ['a"b', '"a"b', '"a', 'x,"', 'a="b,c"']) assert.equal(splitCsv(text), null, text);
});
