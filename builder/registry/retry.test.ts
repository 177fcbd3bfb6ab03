import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterMs } from "./retry.js";

test("retryAfterMs() reads seconds and dates", () => {
  assert.equal(retryAfterMs("7"), 7000);
  assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000), 6000);
  assert.equal(retryAfterMs("soon"), null);
  assert.equal(retryAfterMs(undefined), null);
});
