import assert from "node:assert/strict";
import test from "node:test";
import { nearestRecord } from "./nearest.js";
import { commitFile, keyParts, withStore } from "./testing/store.js";
import { openStore } from "./store.js";

test("query() returns what save() stored under each key", () =>
  withStore(async (store) => {
    await commitFile(store, "s", null);
    const outputs = [{ kind: "snapshot", name: "s" }, { kind: "snapshot", name: null }] as const;
    await store.index.save(["k1", "k2"], "canonical", outputs, keyParts("step"));
    assert.deepEqual(await store.index.query("k1"), { canonical: "canonical", outputs });
    assert.deepEqual(await store.index.query("k2"), { canonical: "canonical", outputs });
    assert.equal(await store.index.query("k3"), null);
  }));

test("save() stores nothing for a directory that is read in place", () =>
  withStore(async (store) => {
    await store.index.save(["k"], "c", [{ kind: "directory", path: "/", ignore: [] }], keyParts("context"));
    assert.equal(await store.index.query("k"), null);
  }));

test("query() removes a record whose snapshot is gone", () =>
  withStore(async (store) => {
    await commitFile(store, "s", null);
    await store.index.save(["k"], "c", [{ kind: "snapshot", name: "s" }], keyParts("step"));
    await store.snapshots.remove("s");
    assert.equal(await store.index.query("k"), null);
    assert.equal(store.meta.index.get("k"), undefined);
  }));

test("a hit is remembered as a use when the store is closed", () =>
  withStore(async (store) => {
    await commitFile(store, "s", null);
    await store.index.save(["k"], "c", [{ kind: "snapshot", name: "s" }], keyParts("step"));
    const record = store.meta.index.get("k");
    assert.ok(record);
    await store.meta.index.put("k", { ...record, lastUsedAt: 1 });
    {
      await using other = await openStore({ root: store.root });
      await other.index.query("k");
      assert.equal(other.meta.index.get("k")?.lastUsedAt, 1);
    }
    assert.ok((store.meta.index.get("k")?.lastUsedAt ?? 0) > 1);
  }));

test("nearest() prefers the same name, then common attributes, then the youngest", () => {
  const record = (name: string, attributes: Record<string, string>, createdAt: number) =>
    ["", { canonical: name, outputs: [], createdAt, lastUsedAt: 0, parts: keyParts(name, attributes) }] as const;
  const wanted = keyParts("RUN a", { command: "a", "env.X": "1", platform: "p" });
  const records = [
    record("RUN a", { command: "a", "env.X": "0", platform: "q" }, 1),
    record("RUN a", { command: "a", "env.X": "2", platform: "p" }, 2),
    record("RUN a", { command: "a", "env.X": "3", platform: "p" }, 3),
    record("RUN b", { command: "a", "env.X": "1", platform: "p" }, 9),
  ];
  assert.equal(nearestRecord(wanted, records)?.parts.attributes["env.X"], "3");
  assert.equal(nearestRecord(wanted, records.slice(3))?.parts.name, "RUN b");
  assert.equal(nearestRecord(keyParts("COPY", { path: "x" }), records), null);
});
