import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../cache/oci/digest.js";
import { cacheKey } from "./cacheKey.js";

const op = digestOf("op");
const input = { key: digestOf("input"), output: 0, selector: null };

// A change here drops every cache in the field: raise the version in the key, and say so in the release notes.
test("cacheKey() is what it was", () => {
  assert.equal(cacheKey(op, []), "sha256:33b3573bfe3e12dd4d383248f5c8d1d0733ba6cd5b774d1af3d797a77a6f3a5a");
  const two = cacheKey(op, [input, { ...input, output: 1, selector: "/a" }]);
  assert.equal(two, "sha256:770fa0d4414e3e0a005acf45b7c3aa5ac306b967beaad3a64a800f46bfcfc3ef");
});

const others = {
  "the op": cacheKey(digestOf("other"), [input]),
  "the number of inputs": cacheKey(op, [input, input]),
  "only the input's key": cacheKey(op, [{ ...input, key: digestOf("x") }]),
  "only the output": cacheKey(op, [{ ...input, output: 1 }]),
  "only the selector": cacheKey(op, [{ ...input, selector: "" }]),
};
for (const [what, key] of Object.entries(others)) {
  test(`cacheKey() differs when ${what} differs`, () => assert.notEqual(key, cacheKey(op, [input])));
}

test("cacheKey() keeps the order of inputs", () => {
  const second = { ...input, key: digestOf("second") };
  assert.notEqual(cacheKey(op, [input, second]), cacheKey(op, [second, input]));
});
