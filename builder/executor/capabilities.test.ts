import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilitiesOf, DEFAULT_CAPABILITIES } from "./capabilities.js";

test("capabilitiesOf() names the bits that are set, and no others", () => {
  assert.deepEqual(capabilitiesOf(0n), []);
  assert.deepEqual(capabilitiesOf(1n | (1n << 21n) | (1n << 40n) | (1n << 63n)), ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"]);
});

test("capabilitiesOf() of Docker's default mask is the default set", () => {
  assert.deepEqual(new Set(capabilitiesOf(0xa80425fbn)), new Set(DEFAULT_CAPABILITIES));
});
