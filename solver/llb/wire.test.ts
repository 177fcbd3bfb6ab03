import assert from "node:assert/strict";
import { test } from "node:test";
import { closeField, openField, parseFields, putVarint, textOf, unpack, writeText, written } from "./wire.js";

test("writeText() writes texts whose length takes one to four bytes", () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2 ** 21 - 1, 2 ** 21]) {
    const text = "é".repeat(Math.floor(length / 2)) + "x".repeat(length % 2);
    const bytes = written((out) => writeText(out, 3, text));
    assert.equal(textOf(parseFields(bytes).get(3)?.[0] as Uint8Array), text);
  }
});

test("closeField() moves what a long field holds, fields inside it too", () => {
  const bytes = written((out) => {
    const start = openField(out, 1);
    for (let i = 0; i < 200; i++) writeText(out, 2, `${i}`.repeat(100));
    closeField(out, start);
    writeText(out, 4, "after");
  });
  const fields = parseFields(bytes);
  const inner = parseFields(fields.get(1)?.[0] as Uint8Array).get(2) ?? [];
  assert.deepEqual(inner.map((value) => textOf(value as Uint8Array)), Array.from({ length: 200 }, (_, i) => `${i}`.repeat(100)));
  assert.equal(textOf(fields.get(4)?.[0] as Uint8Array), "after");
});

test("putVarint() writes integers of all sizes, negative ones in ten bytes", () => {
  const values = [0n, 127n, 128n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 63n - 1n, -1n, -2n, -(2n ** 63n)];
  const bytes = written((out) => values.forEach((value) => putVarint(out, value)));
  assert.deepEqual(unpack(bytes).map((value) => BigInt.asIntN(64, value)), values);
  for (const value of [0, 300, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER, -1, -7]) {
    const one = written((out) => putVarint(out, value));
    assert.deepEqual(unpack(one).map((item) => Number(BigInt.asIntN(64, item))), [value]);
    assert.ok(value >= 0 || one.length === 10);
  }
});
