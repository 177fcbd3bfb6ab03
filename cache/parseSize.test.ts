import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSize } from "./parseSize.js";

test("parseSize() knows powers of 1000 and of 1024", () => {
  assert.deepEqual(["1000", "10GB", "512mb", "1KiB", "1.5k", "2 MB", "0"].map(parseSize), [1000, 1e10, 512e6, 1024, 1500, 2e6, 0]);
  assert.deepEqual(["", "GB", "-1", "1x", "1,5k"].map(parseSize), [null, null, null, null, null]);
});
