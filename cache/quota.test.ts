import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "./errors.js";
import { createQuota } from "./quota.js";
import { openStore } from "./store.js";
import { commitFile, keyParts, putBlob } from "./testing/store.js";
import { tempDir } from "./testing/tempDir.js";

const MIB = 2 ** 20;

test("createQuota() counts the store when it begins, and again only when that seems full", async () => {
  let [counts, collections, used] = [0, 0, 50];
  const quota = createQuota({
    maxBytes: 100,
    measure: async () => (counts++, used),
    collect: async () => void (collections++, (used = 60)),
  });
  await quota.admit(1);
  await quota.admit(10);
  assert.deepEqual([counts, collections], [1, 0]);
  used = 130;
  await quota.admit(60);
  assert.deepEqual([counts, collections], [3, 1]);
});

test("createQuota() goes on after it has refused", async () => {
  let used = 200;
  const quota = createQuota({ maxBytes: 100, measure: async () => used, collect: async () => {} });
  const refused = [quota.admit(1), quota.admit(1)];
  for (const admitted of refused) await assert.rejects(admitted, (error) => hasCode(error, "resource_exhausted"));
  used = 20;
  await quota.admit(1);
});

test("a store with a limit removes what nobody uses to stay within it, and refuses what does not fit", async () => {
  await using dir = await tempDir();
  {
    await using first = await openStore({ root: dir.path });
    await commitFile(first, "old", null, 3 * MIB);
    await first.index.save(["key"], "key", [{ kind: "snapshot", name: "old" }], keyParts("RUN old"));
    await putBlob(first, "x".repeat(MIB));
  }
  await using store = await openStore({ root: dir.path, maxStoreSize: 6 * MIB });
  await commitFile(store, "one", null, 4 * MIB);
  assert.deepEqual([...store.meta.snapshots.entries()].map(([name]) => name), ["one"]);
  await assert.rejects(commitFile(store, "two", "one", 4 * MIB), (error) => hasCode(error, "resource_exhausted"));
  assert.equal(store.meta.snapshots.get("two"), undefined);
  await store.snapshots.remove("two-key");
  await assert.rejects(putBlob(store, "y".repeat(4 * MIB)), (error) => hasCode(error, "resource_exhausted"));
  // What was refused is gone, so that smaller things fit.
  await putBlob(store, "z".repeat(MIB));
});
