import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type CacheMountRequest, cacheMountKey, listCacheMounts, openCacheMount, removeCacheMount } from "./cacheMounts.js";
import { hasCode } from "./errors.js";
import type { Recovered } from "./recovery.js";
import { openStore, type Store } from "./store.js";
import { tryLock } from "./sys/lock.js";
import { tempDir } from "./testing/tempDir.js";
import { diskUsage } from "./usage.js";

const never = new AbortController().signal;

function request(change: Partial<CacheMountRequest> = {}): CacheMountRequest {
  return { id: "/c", base: "", sharing: "shared", fill: async () => {}, onWait: () => {}, signal: never, ...change };
}

const removeTree = async (dir: string) => rmSync(dir, { recursive: true, force: true });

async function withStore(use: (store: Store) => Promise<void>): Promise<void> {
  await using dir = await tempDir();
  await using store = await openStore({ root: dir.path });
  await use(store);
}

/** Opens one and lets go of it. */
async function pathOf(store: Store, change: Partial<CacheMountRequest> = {}): Promise<string> {
  using mount = await openCacheMount(store, request(change));
  return mount.path;
}

test("cacheMountKey() tells ids and first contents apart, and does not depend on the store", () => {
  assert.equal(cacheMountKey({ id: "/c", base: "" }), "b57b7a0092d694acc2456d8db1aa3187a7eec931262bc4d9549ac728456a0226");
  const keys = [["a", "b"], ["a", ""], ["ab", ""], ["", "ab"]].map(([id = "", base = ""]) => cacheMountKey({ id, base }));
  assert.equal(new Set(keys).size, 4);
});

test("openCacheMount() gives the same directory again, whatever its sharing, and another one for another id or base", () =>
  withStore(async (store) => {
    const first = await pathOf(store);
    for (const sharing of ["shared", "private", "locked"] as const) assert.equal(await pathOf(store, { sharing }), first);
    assert.notEqual(await pathOf(store, { id: "/d" }), first);
    assert.notEqual(await pathOf(store, { base: "sha256:1" }), first);
  }));

test("openCacheMount() fills a directory once, and again after it has failed", () =>
  withStore(async (store) => {
    const fails = async (dir: string) => {
      writeFileSync(path.join(dir, "partial"), "");
      throw new Error("no room");
    };
    await assert.rejects(openCacheMount(store, request({ fill: fails })), /no room/);
    const fills: string[] = [];
    const fill = async (dir: string) => {
      fills.push(dir);
      writeFileSync(path.join(dir, "seed"), "");
    };
    const opened = await Promise.all([1, 2, 3].map(() => openCacheMount(store, request({ fill }))));
    assert.deepEqual(readdirSync(opened[0]?.path ?? ""), ["seed"]);
    assert.equal(fills.length, 1);
    for (const mount of opened) mount[Symbol.dispose]();
  }));

test("openCacheMount() lets only one have a locked one, tells the other once that it waits, and stops waiting when cancelled", () =>
  withStore(async (store) => {
    const stop = new AbortController();
    let waits = 0;
    const first = await openCacheMount(store, request({ sharing: "locked" }));
    const onWait = () => void (waits++, setTimeout(() => stop.abort(), 150));
    const waiting = openCacheMount(store, request({ sharing: "locked", onWait, signal: stop.signal }));
    await assert.rejects(waiting, (error) => hasCode(error, "cancelled"));
    assert.equal(waits, 1);
    const next = openCacheMount(store, request({ sharing: "locked", onWait: () => first[Symbol.dispose]() }));
    (await next)[Symbol.dispose]();
  }));

test("openCacheMount() gives private users directories of their own, the lowest free one first", () =>
  withStore(async (store) => {
    const open = () => openCacheMount(store, request({ sharing: "private" }));
    const all = [await open(), await open(), await open()];
    assert.deepEqual(all.map((mount) => path.basename(mount.path)), ["0", "1", "2"]);
    all[1]?.[Symbol.dispose]();
    using again = await open();
    assert.equal(again.path, all[1]?.path);
    for (const mount of all) mount[Symbol.dispose]();
  }));

/** As a process leaves it that was killed in a step: a lease and a note of its use, but no locks. */
function killedUser(store: Store, at: string, mode: "exclusive" | "shared"): string {
  const lease = `1-${mode}`;
  writeFileSync(path.join(store.root, "leases", `${lease}.lock`), "");
  writeFileSync(`${at}.${mode}.${lease}.00`, "");
  return lease;
}

test("openCacheMount() cleans up after a killed user before it gives a directory to one who must not meet it", () =>
  withStore(async (store) => {
    const at = await pathOf(store);
    const recovered: string[] = [];
    const watched = { ...store, recover: async () => [...(await store.recover())].map((one) => (recovered.push(one.lease), one)) };
    for (const [left, sharing] of [["exclusive", "shared"], ["shared", "locked"], ["exclusive", "locked"]] as const) {
      killedUser(store, at, left);
      using mount = await openCacheMount(watched, request({ sharing }));
      assert.equal(mount.path, at);
    }
    assert.deepEqual(recovered, ["1-exclusive", "1-shared", "1-exclusive"]);
    killedUser(store, at, "shared");
    using _together = await openCacheMount(watched, request());
    assert.equal(recovered.length, 3);
  }));

test("openCacheMount() leaves the directory of a killed user whose lease is still held, and refuses one that cannot be cleaned up", () =>
  withStore(async (store) => {
    const at = await pathOf(store);
    const lease = killedUser(store, at, "exclusive");
    {
      // Its process is just dying: the lease goes a moment later than the lock.
      using _dying = tryLock(path.join(store.root, "leases", `${lease}.lock`));
      using other = await openCacheMount(store, request({ sharing: "private" }));
      assert.equal(path.basename(other.path), "1");
      assert.equal(listCacheMounts(store.root).find(({ path: dir }) => dir === at)?.inUse, true);
      assert.equal(await removeCacheMount(store.root, `${cacheMountKey(request())}/0`, removeTree), false);
    }
    const stuck = { ...store, recover: async (): Promise<readonly Recovered[]> => [{ lease, state: "left", error: new Error("busy") }] };
    await assert.rejects(openCacheMount(stuck, request({ sharing: "locked" })), (error: Error) => {
      assert.ok(hasCode(error, "unavailable"));
      assert.equal(error.message, 'Cannot use the cache mount "c": a killed build still runs in it and cannot be cleaned up');
      return true;
    });
  }));

test("openCacheMount() leaves no note of its use behind", () =>
  withStore(async (store) => {
    const at = await pathOf(store, { sharing: "locked" });
    assert.deepEqual(readdirSync(path.dirname(at)).sort(), ["0", "0.lock", "id"]);
  }));

test("listCacheMounts() says what is in use, by whatever sharing, and what a kill left half made", () =>
  withStore(async (store) => {
    for (const sharing of ["shared", "private", "locked"] as const) {
      using _mount = await openCacheMount(store, request({ sharing }));
      assert.deepEqual(listCacheMounts(store.root).map(({ id, inUse }) => [id, inUse]), [["c", true]]);
    }
    const at = await pathOf(store);
    mkdirSync(path.join(path.dirname(at), "1.new"));
    writeFileSync(path.join(path.dirname(at), "1.lock"), "");
    const listed = listCacheMounts(store.root);
    assert.deepEqual(listed.map(({ path: dir, inUse }) => [path.basename(dir), inUse]), [["0", false], ["1.new", false]]);
    for (const { name } of listed) assert.equal(await removeCacheMount(store.root, name, removeTree), true);
    assert.deepEqual(listCacheMounts(store.root), []);
  }));

test("removeCacheMount() leaves what is in use, and what it removes is made again", () =>
  withStore(async (store) => {
    const name = `${cacheMountKey(request())}/0`;
    const fill = async (dir: string) => writeFileSync(path.join(dir, "seed"), "seed");
    const mount = await openCacheMount(store, request({ fill }));
    rmSync(path.join(mount.path, "seed"));
    assert.equal(await removeCacheMount(store.root, name, removeTree), false);
    mount[Symbol.dispose]();
    assert.equal(await removeCacheMount(store.root, name, removeTree), true);
    assert.ok(!existsSync(mount.path));
    assert.equal(readFileSync(path.join(await pathOf(store, { fill }), "seed"), "utf8"), "seed");
  }));

test("a removal that was interrupted is finished by the next use", () =>
  withStore(async (store) => {
    const name = `${cacheMountKey(request())}/0`;
    const at = await pathOf(store);
    writeFileSync(path.join(at, "old"), "");
    await assert.rejects(removeCacheMount(store.root, name, async () => Promise.reject(new Error("killed"))), /killed/);
    assert.deepEqual(readdirSync(await pathOf(store)), []);
    assert.deepEqual(listCacheMounts(store.root).map(({ path: dir }) => path.basename(dir)), ["0"]);
  }));

test("diskUsage() lists a cache mount as exec.cachemount with its size and last use", () =>
  withStore(async (store) => {
    const at = await pathOf(store, { id: "ns//root/.npm" });
    writeFileSync(path.join(at, "file"), Buffer.alloc(100_000));
    const before = (await diskUsage(store))[0];
    assert.deepEqual([before?.type, before?.description, before?.inUse], ["exec.cachemount", 'cache mount "ns//root/.npm"', false]);
    assert.ok((before?.size ?? 0) >= 100_000);
    await delay(20);
    using _mount = await openCacheMount(store, request({ id: "ns//root/.npm" }));
    const during = (await diskUsage(store))[0];
    assert.ok(during?.inUse === true && during.lastUsedAt > (before?.lastUsedAt ?? Infinity));
  }));
