import assert from "node:assert/strict";
import test from "node:test";
import { lineBuffer } from "./lines.js";

test("lineBuffer() joins lines and characters that come in pieces", () => {
  const lines = lineBuffer();
  const bytes = Buffer.from("one\r\ntwö\nthree");
  const given = [...bytes].flatMap((byte) => lines.push(Buffer.from([byte])));
  assert.deepEqual(given, ["one", "twö"]);
  assert.equal(lines.rest(), "three");
  assert.deepEqual(lines.end(), ["three"]);
  assert.deepEqual(lines.end(), []);
});

test("lineBuffer() does not keep a line that never ends", () => {
  const lines = lineBuffer();
  assert.equal(lines.push(Buffer.alloc(20_000, "x")).length, 1);
  assert.equal(lines.rest(), "");
});
