import assert from "node:assert/strict";
import { once } from "node:events";
import { fork } from "node:child_process";
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { hasCode } from "../errors.js";
import { mountTmpfs, tempDir } from "../testing/tempDir.js";
import type { MetaDb } from "./db.js";
import { openMeta } from "./lmdb.js";

async function withMeta(body: (meta: MetaDb, file: string) => Promise<void>): Promise<void> {
  await using dir = await tempDir();
  const file = path.join(dir.path, "meta.lmdb");
  await using meta = await openMeta(file);
  await body(meta, file);
}

test("openMeta() finds again what was put before closing", async () => {
  await using dir = await tempDir();
  const file = path.join(dir.path, "meta.lmdb");
  {
    await using meta = await openMeta(file);
    await meta.contentKeys.put("a", "1");
  }
  await using meta = await openMeta(file);
  assert.equal(meta.contentKeys.get("a"), "1");
});

test("Table.entries() lists just the keys with the prefix, in order", () =>
  withMeta(async ({ contentKeys }) => {
    for (const key of ["b\0x", "b\0a", "b", "ba", "a\0x", "c", "b\0é"]) await contentKeys.put(key, key);
    assert.deepEqual([...contentKeys.entries("b\0")].map(([key]) => key), ["b\0a", "b\0x", "b\0é"]);
    assert.equal([...contentKeys.entries()].length, 7);
  }));

test("Table keeps values apart whose keys are longer than lmdb allows", () =>
  withMeta(async ({ contentKeys }) => {
    const long = "\u0001é".repeat(3000);
    await contentKeys.put(long + "a", "1");
    await contentKeys.put(long + "b", "2");
    await contentKeys.put("\u0001".repeat(900), "3");
    assert.equal(contentKeys.get(long + "a"), "1");
    assert.equal(contentKeys.get(long + "b"), "2");
    assert.equal([...contentKeys.entries("\u0001é")].length, 2);
  }));

test("Table keeps keys that JavaScript objects treat specially", () =>
  withMeta(async ({ images }) => {
    const value = JSON.parse('{"name":"x","manifests":[],"updatedAt":1,"__proto__":"kept"}');
    await images.put("__proto__", value);
    assert.equal(JSON.stringify(images.get("__proto__")), JSON.stringify(value));
  }));

test("transaction() undoes everything when its body throws", () =>
  withMeta(async (meta) => {
    const failing = meta.transaction((tx) => {
      tx.contentKeys.put("a", "1");
      throw new Error("no");
    });
    await assert.rejects(failing, /no/);
    assert.equal(meta.contentKeys.get("a"), undefined);
    assert.equal(await meta.transaction((tx) => (tx.contentKeys.put("a", "2"), tx.contentKeys.get("a"))), "2");
    assert.equal(meta.contentKeys.get("a"), "2");
  }));

test("transaction() may remove while it iterates", () =>
  withMeta(async (meta) => {
    for (let i = 0; i < 50; i++) await meta.contentKeys.put(`k${i}`, "");
    await meta.transaction((tx) => {
      for (const [key] of tx.contentKeys.entries()) tx.contentKeys.remove(key);
    });
    assert.equal([...meta.contentKeys.entries()].length, 0);
  }));

for (const [name, bytes] of [["text", "hello ".repeat(2000)], ["zeros", Buffer.alloc(8192)], ["short", "x"]] as const) {
  test(`openMeta() refuses a file of ${name} as corrupt`, async () => {
    await using dir = await tempDir();
    const file = path.join(dir.path, "meta.lmdb");
    writeFileSync(file, bytes);
    await assert.rejects(openMeta(file), (error) => hasCode(error, "corrupt"));
  });
}

test("a get() sees what another process has put, in the same turn of the event loop", () =>
  withMeta(async (meta, file) => {
    const child = fork(new URL("./lmdbPeer.js", import.meta.url), [file, "50"]);
    let seen = 0;
    child.on("message", (key) => {
      assert.equal(meta.contentKeys.get(String(key)), "from the peer");
      seen++;
    });
    const [status] = await once(child, "exit");
    assert.equal(status, 0);
    assert.equal(seen, 50);
  }));

test("two processes adding to one number in transactions lose nothing", () =>
  withMeta(async (meta, file) => {
    const child = fork(new URL("./lmdbPeer.js", import.meta.url), [file, "0", "100"]);
    const exited = once(child, "exit");
    for (let i = 0; i < 100; i++) {
      await meta.transaction((tx) => tx.contentKeys.put("sum", String(Number(tx.contentKeys.get("sum") ?? 0) + 1)));
    }
    assert.equal((await exited)[0], 0);
    assert.equal(meta.contentKeys.get("sum"), "200");
  }));

test("no commit is lost while other processes open and close the database", () =>
  withMeta(async (meta, file) => {
    const children = [1, 2].map(() => fork(new URL("./lmdbPeer.js", import.meta.url), [file, "0", "0", "400"]));
    const exits = Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as number));
    let open = true;
    const ended = exits.finally(() => (open = false));
    let sum = 0;
    for (; open; sum++) {
      await meta.transaction((tx) => tx.contentKeys.put("sum", String(Number(tx.contentKeys.get("sum") ?? 0) + 1)));
      assert.equal(meta.contentKeys.get("sum"), String(sum + 1));
    }
    assert.deepEqual(await ended, [0, 0]);
    assert.ok(sum > 0);
  }));

test("what was acknowledged survives SIGKILL of the writer", () =>
  withMeta(async (meta, file) => {
    const child = fork(new URL("./lmdbPeer.js", import.meta.url), [file, "100000"]);
    const acknowledged: string[] = [];
    child.on("message", (key) => {
      acknowledged.push(String(key));
      if (acknowledged.length === 20) child.kill("SIGKILL");
    });
    await once(child, "exit");
    for (const key of acknowledged) assert.equal(meta.contentKeys.get(key), "from the peer");
    await meta.contentKeys.put("still", "writable");
  }));

test("transaction() on a full disk is resource_exhausted, and no rejection of lmdb's own ends the process", async (t) => {
  await using disk = await mountTmpfs("2m");
  if (disk === null) return t.skip("needs root to mount a tmpfs");
  await using meta = await openMeta(path.join(disk.path, "meta.lmdb"));
  await meta.contentKeys.put("first", "1");
  const rest = path.join(disk.path, "rest");
  fillDisk(rest);
  const write = () => meta.transaction((tx) => tx.contentKeys.put("second", "x".repeat(20_000)));
  await assert.rejects(write(), (error) => hasCode(error, "resource_exhausted"));
  rmSync(rest);
  await write();
  assert.equal(meta.contentKeys.get("first"), "1");
});

function fillDisk(file: string): void {
  const fd = openSync(file, "w");
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  } finally {
    closeSync(fd);
  }
}

test("put() on a full disk is resource_exhausted and keeps what was there", async (t) => {
  await using disk = await mountTmpfs("1m");
  if (disk === null) return t.skip("needs root to mount a tmpfs");
  await using meta = await openMeta(path.join(disk.path, "meta.lmdb"));
  await meta.contentKeys.put("first", "1");
  const fill = async () => {
    for (let i = 0; i < 40; i++) await meta.contentKeys.put(`k${i}`, "x".repeat(50_000));
  };
  await assert.rejects(fill(), (error) => hasCode(error, "resource_exhausted"));
  assert.equal(meta.contentKeys.get("first"), "1");
});
