import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { listLocalCopies, openLocalCopy } from "./localCopies.js";
import { prune } from "./prune.js";
import type { Store } from "./store.js";
import { withStore } from "./testing/store.js";
import { diskUsage } from "./usage.js";

const open = (store: Store, key: string) => openLocalCopy(store.root, key, async (dir) => void (await store.bulk.run("removeTree", { path: dir })));

test("openLocalCopy() gives the same copy again, and another one while it is in use", () =>
  withStore(async (store) => {
    using first = await open(store, "a");
    writeFileSync(path.join(first.path, "file"), "x");
    using second = await open(store, "a");
    assert.notEqual(second.path, first.path);
    first[Symbol.dispose]();
    using again = await open(store, "a");
    assert.equal(again.path, first.path);
    assert.ok(existsSync(path.join(again.path, "file")));
  }));

test("diskUsage() lists copies of clients' directories, and prune() removes those that nobody uses", () =>
  withStore(async (store) => {
    using used = await open(store, "used");
    {
      using idle = await open(store, "idle");
      writeFileSync(path.join(idle.path, "file"), Buffer.alloc(100_000));
    }
    const records = await diskUsage(store);
    const shown = records.map(({ type, description, inUse }) => [type, description, inUse]).sort();
    assert.deepEqual(shown, [["source.local", "local source for idle", false], ["source.local", "local source for used", true]]);
    assert.ok(records.find(({ inUse }) => !inUse)!.size >= 100_000);
    assert.deepEqual((await prune(store, { filter: ({ type }) => type !== "source.local" })).removed, []);
    assert.deepEqual((await prune(store)).removed.map(({ description }) => description), ["local source for idle"]);
    assert.deepEqual(listLocalCopies(store.root).map(({ path: at }) => at), [used.path]);
    used[Symbol.dispose]();
    assert.equal((await prune(store)).removed.length, 1);
    assert.deepEqual(await diskUsage(store), []);
  }));
