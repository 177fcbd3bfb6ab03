import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { listLocalCopies, openLocalCopy } from "./localCopies.js";
import { planOf, prune } from "./prune.js";
import { openStore, type Store } from "./store.js";
import { commitFile, keyParts, putBlob, withStore } from "./testing/store.js";
import { diskUsage } from "./usage.js";

const KIB = 1024;

// Closing and opening again is what ends the pins of the process that made the snapshots.
async function reopened(store: Store, body: (store: Store) => Promise<void>): Promise<void> {
  const { root } = store;
  await store[Symbol.asyncDispose]();
  await using next = await openStore({ root });
  await body(next);
}

async function saved(store: Store, name: string, parent: string | null, bytes: number): Promise<void> {
  await commitFile(store, name, parent, bytes);
  await store.index.save([`key-${name}`], name, [{ kind: "snapshot", name }], keyParts(`RUN ${name}`));
}

async function age(store: Store, name: string, lastUsedAt: number): Promise<void> {
  await store.meta.transaction((tx) => {
    const snapshot = tx.snapshots.get(name);
    const record = tx.index.get(`key-${name}`);
    if (snapshot !== undefined) tx.snapshots.put(name, { ...snapshot, lastUsedAt });
    if (record !== undefined) tx.index.put(`key-${name}`, { ...record, lastUsedAt });
  });
}

const names = (store: Store) => [...store.meta.snapshots.entries()].map(([name]) => name).join(" ");

async function image(store: Store, name: string, snapshot: string): Promise<void> {
  const config = await putBlob(store, `config of ${name}`);
  const diffId = config;
  const platform = { os: "linux", architecture: "amd64" };
  await store.images.put(name, [{ platform, config, layers: [{ snapshot, diffId }] }]);
}

test("prune() removes all that nobody uses: directories, index, layers, content keys, blobs", () =>
  withStore(async (first) => {
    await saved(first, "base", null, 1);
    await saved(first, "child", "base", 1);
    const digest = await putBlob(first, "layer");
    const blob = { mediaType: "", digest, size: 5 };
    await first.meta.layers.put("child", { diffId: digest, size: 5, empty: false, blobs: [blob] });
    await first.meta.contentKeys.put("child\0x", "y");
    await reopened(first, async (store) => {
      const { removed, freedBytes } = await prune(store);
      assert.deepEqual(removed.map(({ id }) => id), ["snapshot:child", "snapshot:base", `blob:${digest}`]);
      assert.ok(freedBytes > 0);
      for (const table of ["snapshots", "index", "layers", "contentKeys"] as const) {
        assert.deepEqual([...store.meta[table].entries()], []);
      }
      assert.deepEqual(readdirSync(path.join(store.root, "snapshots")), []);
      assert.equal(existsSync(store.content.pathOf(digest)), false);
    });
  }));

test("prune() keeps an image's layers, their parents and its config, until the image is removed", () =>
  withStore(async (first) => {
    await saved(first, "base", null, 1);
    await saved(first, "top", "base", 1);
    await saved(first, "other", "base", 1);
    await image(first, "app", "top");
    await reopened(first, async (store) => {
      const types = (await diskUsage(store)).map(({ id, type, inUse, shared }) => [id.slice(0, 14), type, inUse, shared].join());
      assert.deepEqual(types.slice(0, 3), [
        "snapshot:base,image,true,true",
        "snapshot:other,regular,false,false",
        "snapshot:top,image,true,true",
      ]);
      assert.deepEqual((await prune(store)).removed.map(({ id }) => id), ["snapshot:other"]);
      await store.images.remove("app");
      assert.equal((await prune(store)).removed.length, 3);
    });
  }));

test("prune() keeps what another process has made, hit or based a snapshot on", () =>
  withStore(async (first) => {
    for (const name of ["hit", "parent", "free"]) await saved(first, name, null, 1);
    await reopened(first, async (builder) => {
      await saved(builder, "made", null, 1);
      await builder.index.query("key-hit");
      await builder.snapshots.prepare("active", "parent");
      const blob = await putBlob(builder, "fresh");
      await using pruner = await openStore({ root: builder.root });
      assert.deepEqual((await prune(pruner)).removed.map(({ id }) => id), ["snapshot:free"]);
      assert.equal((await builder.content.info(blob)).size, 5);
      assert.equal(names(pruner), "active hit made parent");
    });
  }));

test("prune() stops at the hard cap and takes the least recently used first", () =>
  withStore(async (first) => {
    for (const [name, used] of [["a", 3], ["b", 1], ["c", 2]] as const) {
      await saved(first, name, null, 100 * KIB);
      await age(first, name, used);
    }
    await reopened(first, async (store) => {
      const { removed } = await prune(store, { maxUsedBytes: 250 * KIB });
      assert.deepEqual(removed.map(({ id }) => id), ["snapshot:b"]);
      assert.equal((await prune(store, { maxUsedBytes: 250 * KIB })).removed.length, 0);
      const left = (await diskUsage(store)).reduce((sum, { size }) => sum + size, 0);
      assert.ok(left <= 250 * KIB && left >= 200 * KIB, `${left}`);
    });
  }));

test("prune() honours its filter, and planOf() removes nothing", () =>
  withStore(async (first) => {
    await saved(first, "base", null, 1);
    await saved(first, "child", "base", 1);
    await reopened(first, async (store) => {
      const filter = ({ description }: { description: string }) => description === "RUN child";
      assert.equal((await planOf(store, { filter })).length, 1);
      assert.equal(names(store), "base child");
      await prune(store, { filter });
      assert.equal(names(store), "base");
    });
  }));

test("diskUsage() remembers sizes of committed snapshots and measures active ones anew", () =>
  withStore(async (store) => {
    await saved(store, "s", null, 100 * KIB);
    await store.snapshots.prepare("active", "s");
    const size = (await diskUsage(store)).find(({ id }) => id === "snapshot:s")?.size ?? 0;
    assert.ok(size >= 100 * KIB && size < 140 * KIB, `${size}`);
    assert.equal(store.meta.snapshots.get("s")?.size, size);
    assert.equal(store.meta.snapshots.get("active")?.size, null);
  }));

test("prune() removes the copies of clients' directories that nobody uses", () =>
  withStore(async (store) => {
    const open = (key: string) => openLocalCopy(store.root, key, async (dir) => void (await store.bulk.run("removeTree", { path: dir })));
    using used = await open("used");
    {
      using idle = await open("idle");
      writeFileSync(path.join(idle.path, "file"), Buffer.alloc(100_000));
    }
    const records = await diskUsage(store);
    const shown = records.map(({ type, description, inUse }) => [type, description, inUse].join()).sort();
    assert.deepEqual(shown, ["source.local,local source for idle,false", "source.local,local source for used,true"]);
    assert.ok(records.find(({ inUse }) => !inUse)!.size >= 100_000);
    assert.deepEqual((await prune(store, { filter: ({ type }) => type !== "source.local" })).removed, []);
    assert.deepEqual((await prune(store)).removed.map(({ description }) => description), ["local source for idle"]);
    assert.deepEqual(listLocalCopies(store.root).map(({ path: at }) => at), [used.path]);
    used[Symbol.dispose]();
    assert.equal((await prune(store)).removed.length, 1);
    assert.deepEqual(await diskUsage(store), []);
  }));
