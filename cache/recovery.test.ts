import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { mountsBelow } from "./mounts.js";
import { openStore } from "./store.js";
import { tempDir } from "./testing/tempDir.js";

const root0 = process.getuid?.() === 0 ? false : "needs root to mount";

// A process with a lease, a mount, an ingest, an active snapshot and pins, that has then been killed.
async function killedPeer(root: string): Promise<void> {
  const child: ChildProcess = fork(new URL("./recoveryPeer.js", import.meta.url), [root]);
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
}

const filesIn = (...parts: string[]) => readdirSync(path.join(...parts)).sort();

test("openStore() cleans up after a killed process and keeps what it had committed", { skip: root0 }, async () => {
  await using dir = await tempDir();
  await killedPeer(dir.path);
  assert.equal(mountsBelow(dir.path).length, 2);
  const scratches: string[] = [];
  await using store = await openStore({ root: dir.path, cleanScratch: async (scratch) => void scratches.push(scratch) });
  assert.deepEqual(store.recovered.map(({ state }) => state), ["cleaned"]);
  assert.equal(scratches.length, 1);
  assert.equal(mountsBelow(dir.path).length, 0);
  assert.deepEqual(filesIn(dir.path, "mounts"), [store.lease]);
  assert.deepEqual(filesIn(dir.path, "leases"), [`${store.lease}.lock`, "pins"]);
  for (const name of ["ingest", "locks"]) assert.deepEqual(filesIn(dir.path, "content", name), []);
  assert.deepEqual([...store.meta.snapshots.entries()].map(([name]) => name), ["kept"]);
  assert.equal(filesIn(dir.path, "snapshots").length, 1);
  assert.equal(readFileSync(path.join(dir.path, "..", path.basename(dir.path), "outside"), "utf8"), "still here");
  assert.equal((await store.index.query("key"))?.canonical, "canonical");
});

test("two stores opened at once clean a dead lease once", { skip: root0 }, async () => {
  await using dir = await tempDir();
  await killedPeer(dir.path);
  const stores = await Promise.all([openStore({ root: dir.path }), openStore({ root: dir.path })]);
  const cleaned = stores.flatMap(({ recovered }) => recovered);
  assert.deepEqual(cleaned.map(({ state }) => state), ["cleaned"]);
  for (const store of stores) await store[Symbol.asyncDispose]();
});

test("a lease whose scratch cannot be cleaned is left for the next time", { skip: root0 }, async () => {
  await using dir = await tempDir();
  await killedPeer(dir.path);
  const failing = async () => Promise.reject(new Error("runc is not there"));
  {
    await using store = await openStore({ root: dir.path, cleanScratch: failing });
    assert.deepEqual(store.recovered.map(({ state }) => state), ["left"]);
  }
  await using store = await openStore({ root: dir.path });
  assert.deepEqual(store.recovered.map(({ state }) => state), ["cleaned"]);
});

test("openStore() leaves live processes alone", async () => {
  await using dir = await tempDir();
  await using one = await openStore({ root: dir.path });
  await one.snapshots.prepare("active", null);
  writeFileSync(one.content.scratchPath(), "x");
  await using two = await openStore({ root: dir.path });
  assert.deepEqual(two.recovered, []);
  assert.ok(existsSync(one.scratch));
  assert.equal(filesIn(dir.path, "content", "ingest").length, 1);
  assert.equal(one.meta.snapshots.get("active")?.kind, "active");
});

test("closing a store leaves nothing of its lease", async () => {
  await using dir = await tempDir();
  const store = await openStore({ root: dir.path });
  await store.snapshots.prepare("active", null);
  await store[Symbol.asyncDispose]();
  assert.deepEqual(filesIn(dir.path, "mounts"), []);
  await using next = await openStore({ root: dir.path });
  assert.deepEqual([...next.meta.snapshots.entries()], []);
  assert.deepEqual(filesIn(dir.path, "snapshots"), []);
});
