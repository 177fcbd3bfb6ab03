import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { blob, blobMap, child, children, childMap, flag, int, ints, text, textMap, texts } from "../../solver/llb/message.js";
import { type Decoded, numberMap, schema, time } from "./schema.js";

const leaf = schema({ name: text(1), size: int(2) });
const tree = schema({
  id: text(1),
  flag: flag(2),
  count: int(3),
  data: blob(4),
  names: texts(5),
  numbers: ints(6),
  attrs: textMap(7),
  bytes: blobMap(8),
  at: time(9),
  leaf: child(10, leaf),
  leaves: children(11, leaf),
  byName: childMap(12, leaf),
  byNumber: numberMap(13, leaf),
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const unhex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

test("schema() writes fields in the order of their numbers, whatever the order of the table", () => {
  const message = schema({ last: text(13), first: int(1) });
  assert.equal(hex(message.encode({ last: "a", first: 300 })), "08ac026a0161");
});

// By hand from protobuf's "Encoding": tag = number << 3 | type; types 0 varint, 2 delimited.
const golden: readonly (readonly [Parameters<typeof tree.encode>[0], string])[] = [
  [{}, ""],
  [{ id: "", flag: false, count: 0, data: new Uint8Array(), names: [], numbers: [], attrs: {}, at: null, leaf: null }, ""],
  [{ id: "é" }, "0a02c3a9"],
  [{ flag: true, count: -1 }, "1001 18ffffffffffffffffff01"],
  [{ names: ["", "a"] }, "2a00 2a0161"],
  [{ numbers: [1, 300] }, "3203 01ac02"],
  [{ attrs: { b: "", a: "1" } }, "3a06 0a0161120131 3a05 0a01621200"],
  [{ bytes: { k: Uint8Array.of(255) } }, "4206 0a016b1201ff"],
  [{ at: 1500 }, "4a08 0801 1080cab5ee01"],
  [{ at: 0 }, "4a00"],
  [{ at: -0.000001 }, "4a11 08ffffffffffffffffff01 10ff93ebdc03"],
  [{ leaf: {} }, "5200"],
  [{ leaf: { name: "x", size: 5 } }, "5205 0a01781005"],
  [{ leaves: [{ size: 1 }, {}] }, "5a02 1001 5a00"],
  [{ byName: { n: { size: 1 } } }, "6207 0a016e 12021001"],
  [{ byNumber: new Map([[2, {}], [0, { size: 1 }]]) }, "6a06 0800 12021001 6a04 0802 1200"],
];

test("schema() writes the bytes of proto3", () => {
  for (const [value, expected] of golden) assert.equal(hex(tree.encode(value)), expected.replaceAll(" ", ""), JSON.stringify(value));
});

const empty: Decoded<typeof tree> = {
  id: "",
  flag: false,
  count: 0,
  data: new Uint8Array(),
  names: [],
  numbers: [],
  attrs: {},
  bytes: {},
  at: null,
  leaf: null,
  leaves: [],
  byName: {},
  byNumber: new Map(),
};

test("schema() reads what it wrote, absent fields with their defaults", () => {
  assert.deepEqual(tree.decode(new Uint8Array()), empty);
  const full = {
    id: "ref",
    flag: true,
    count: Number.MAX_SAFE_INTEGER,
    data: Uint8Array.of(0, 1, 255),
    names: ["a", "", "ü"],
    numbers: [-1, 0, 2 ** 40],
    attrs: { k: "v", __proto__x: "1" },
    bytes: { k: Uint8Array.of(1) },
    at: 1_700_000_000_123.5,
    leaf: { name: "n", size: -3 },
    leaves: [{ name: "", size: 0 }],
    byName: { a: { name: "x", size: 1 } },
    byNumber: new Map([[0, { name: "zero", size: 0 }], [7, { name: "", size: 0 }]]),
  };
  assert.deepEqual(tree.decode(tree.encode(full)), full);
});

test("schema() skips fields that it does not know, and takes the last of what may be there once", () => {
  const bytes = unhex("f80101 fa0103616263 fd01 00000000 f901 0000000000000000 0a0161 0a0162");
  assert.deepEqual(tree.decode(bytes), { ...empty, id: "b" });
});

test("schema() merges two occurrences of one message", () => {
  assert.deepEqual(tree.decode(unhex("52030a0178 52021005")).leaf, { name: "x", size: 5 });
});

test("schema() keeps a map key that objects treat specially", () => {
  const { attrs } = tree.decode(unhex("3a0e 0a095f5f70726f746f5f5f 120178"));
  assert.deepEqual(Object.entries(attrs), [["__proto__", "x"]]);
});

const hostile: readonly (readonly [string, string])[] = [
  ["a field that is cut short", "0a05 61"],
  ["a tag alone", "0a"],
  ["a length beyond 64 bits", "0affffffffffffffffffff01"],
  ["a length of 2^63", "0a80808080808080808001"],
  ["a varint that never ends", "18 ff".repeat(20)],
  ["an integer beyond 2^53", "18 8080808080808010"],
  ["text that is not UTF-8", "0a01ff"],
  ["a varint where text belongs", "0801"],
  ["text where a varint belongs", "1a0161"],
  ["a group", "0b"],
  ["a message that is cut short inside", "52030a0578"],
  ["a map entry that is no message", "3801"],
  ["a numbered map entry that is no message", "6801"],
];

test("schema() refuses bytes that are no message", () => {
  for (const [what, bytes] of hostile) {
    assert.throws(() => tree.decode(unhex(bytes)), (error) => hasCode(error, "invalid_argument"), what);
  }
});

test("schema() takes any bytes without another error than its own", () => {
  let seed = 1;
  const next = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from({ length: next() % 40 }, () => next() % 256);
    try {
      tree.decode(bytes);
    } catch (error) {
      assert.ok(hasCode(error, "invalid_argument"), `${hex(bytes)}: ${String(error)}`);
    }
  }
});
