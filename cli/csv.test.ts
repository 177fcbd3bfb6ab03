import assert from "node:assert/strict";
import test from "node:test";
import { parseCsv } from "./csv.js";

test("parseCsv() splits at commas outside of quotes", () => {
  assert.deepEqual(parseCsv("a,b,c"), ["a", "b", "c"]);
  assert.deepEqual(parseCsv('a,"b,c",d'), ["a", "b,c", "d"]);
  assert.deepEqual(parseCsv('"say ""hi"""'), ['say "hi"']);
  assert.deepEqual(parseCsv("a,,"), ["a", "", ""]);
  assert.deepEqual(parseCsv(""), [""]);
});
