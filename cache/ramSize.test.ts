import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRamSize } from "./ramSize.js";

test("parseRamSize() counts in powers of 1024", () => {
  assert.deepEqual(["4096", "64m", "1.5GiB", "2 kb", "1T"].map(parseRamSize), [4096, 64 * 2 ** 20, 1.5 * 2 ** 30, 2048, 2 ** 40]);
});

test("parseRamSize() refuses what is no size", () => {
  assert.deepEqual(["", "m", "-1", "1x", "1,5k", "0x10"].map(parseRamSize), [null, null, null, null, null, null]);
});
