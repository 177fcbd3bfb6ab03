import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { expiredBuilds } from "./retention.js";
import { testRecord } from "./testRecord.js";

const retention = { maxAgeMs: 1000, maxEntries: 2, maxBytes: 100 };
const logs = (size: number) => ({ mediaType: "", digest: digestOf(String(size)), size });
const expired = (records: Parameters<typeof expiredBuilds>[0], now: number) => expiredBuilds(records, retention, now).map(({ ref }) => ref);

test("expiredBuilds() lets go of what is both too old and too much", () => {
  const records = ["a", "b", "c", "d"].map((ref, index) => testRecord(ref, { completedAt: index * 400 }));
  assert.deepEqual(expired(records, 1100), ["a"]);
  assert.deepEqual(expired(records, 9000), ["b", "a"]);
  assert.deepEqual(expired(records, 1000), []);
  assert.deepEqual(expired(records.slice(0, 2), 9000), []);
});

test("expiredBuilds() keeps what is pinned, and does not count it", () => {
  const records = ["a", "b", "c"].map((ref, index) => testRecord(ref, { completedAt: index, pinned: ref !== "b" }));
  assert.deepEqual(expired(records, 9000), []);
  const more = [...records, testRecord("d", { completedAt: -1 }), testRecord("e", { completedAt: -2 })];
  assert.deepEqual(expired(more, 9000), ["e"]);
});

test("expiredBuilds() lets go of the oldest when their blobs take too much, but never of the youngest", () => {
  const records = [testRecord("old", { completedAt: 1, logs: logs(60) }), testRecord("new", { completedAt: 2, logs: logs(60) })];
  assert.deepEqual(expired(records, 2), ["old"]);
  assert.deepEqual(expired([testRecord("only", { logs: logs(500) })], 2), []);
});
