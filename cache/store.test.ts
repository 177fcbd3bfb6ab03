import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { hasCode } from "./errors.js";
import { openStore } from "./store.js";
import { commitFile, keyParts, withStore } from "./testing/store.js";
import { mountTmpfs, tempDir } from "./testing/tempDir.js";

test("openStore() finds again what was committed before", async () => {
  await using dir = await tempDir();
  const root = path.join(dir.path, "a", "b");
  {
    await using store = await openStore({ root });
    await commitFile(store, "s", null);
    await store.index.save(["k"], "c", [{ kind: "snapshot", name: "s" }], keyParts("step"));
  }
  await using store = await openStore({ root });
  assert.equal((await store.index.query("k"))?.canonical, "c");
  assert.equal((await store.snapshots.stat("s")).kind, "committed");
});

for (const kind of ["overlay", "copy"] as const) {
  test(`a store keeps its ${kind} snapshotter and refuses the other`, async (t) => {
    if (kind === "overlay" && process.getuid?.() !== 0) return t.skip("needs root to mount overlays");
    await using dir = await tempDir();
    {
      await using store = await openStore({ root: dir.path, snapshotter: kind });
      await commitFile(store, "base", null);
      await commitFile(store, "child", "base");
    }
    await using store = await openStore({ root: dir.path });
    assert.equal(store.snapshotterName, kind);
    const other = kind === "copy" ? "overlay" : "copy";
    await assert.rejects(openStore({ root: dir.path, snapshotter: other }), (error) => hasCode(error, "invalid_argument"));
  });
}

for (const [text, code] of [
  ['{"format":99,"snapshotter":"new"}', "unsupported"],
  ["garbage", "corrupt"],
  ['{"format":1}', "corrupt"],
] as const) {
  test(`openStore() refuses a version file of ${text} as ${code} and touches nothing`, async () => {
    await using dir = await tempDir();
    writeFileSync(path.join(dir.path, "version"), text);
    await assert.rejects(openStore({ root: dir.path }), (error) => hasCode(error, code));
    assert.deepEqual(readdirSync(dir.path), ["version"]);
  });
}

test("openStore() with damaged metadata is corrupt and leaves no lease", async () => {
  await using dir = await tempDir();
  writeFileSync(path.join(dir.path, "meta.lmdb"), "garbage");
  await assert.rejects(openStore({ root: dir.path }), (error) => hasCode(error, "corrupt"));
  assert.deepEqual(readdirSync(path.join(dir.path, "leases")), []);
  assert.deepEqual(readdirSync(path.join(dir.path, "mounts")), []);
});

test("openStore() keeps others out of what is private", () =>
  withStore(async ({ root }) => {
    const modes = Object.fromEntries(readdirSync(root).map((name) => [name, statSync(path.join(root, name)).mode & 0o777]));
    assert.deepEqual([modes["content"], modes["leases"], modes["snapshots"], modes["mounts"]], [0o700, 0o700, 0o711, 0o711]);
      for (const name of ["meta.lmdb", "meta.lmdb-lock", "version"]) assert.equal(modes[name], 0o600);
  }));

test("several stores opened at once on a new root agree", async () => {
  await using dir = await tempDir();
  const stores = await Promise.all([1, 2, 3].map(() => openStore({ root: dir.path })));
  assert.equal(new Set(stores.map(({ lease }) => lease)).size, 3);
  assert.equal(new Set(stores.map(({ snapshotterName }) => snapshotterName)).size, 1);
  for (const store of stores) await store[Symbol.asyncDispose]();
  assert.equal(JSON.parse(readFileSync(path.join(dir.path, "version"), "utf8")).format, 1);
});

test("pin() of an unknown snapshot is not_found", () =>
  withStore(async (store) => {
    await commitFile(store, "s", null);
    await store.pin(["s"]);
    await assert.rejects(store.pin(["s", "t"]), (error) => hasCode(error, "not_found"));
  }));

test("openStore() on a full disk is resource_exhausted", async (t) => {
  await using disk = await mountTmpfs("64k");
  if (disk === null) return t.skip("needs root to mount a tmpfs");
  writeFileSync(path.join(disk.path, "ballast"), Buffer.alloc(56 << 10));
  mkdirSync(path.join(disk.path, "store"));
  await assert.rejects(openStore({ root: path.join(disk.path, "store") }), (error) => hasCode(error, "resource_exhausted"));
});
