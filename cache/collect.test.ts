import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { collect, collectionPlan, type StoreRule } from "./collect.js";
import { openLocalCopy } from "./localCopies.js";
import { metadataUsage } from "./metadataUsage.js";
import { openStore, type Store } from "./store.js";
import { commitFile, keyParts, putBlob, withStore } from "./testing/store.js";
import { mountTmpfs, tempDir } from "./testing/tempDir.js";
import { diskUsage } from "./usage.js";

const KIB = 1024;
const none: StoreRule = { matches: null, keepDurationMs: 0, reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 };

async function fill(store: Store): Promise<void> {
  await commitFile(store, "base", null, 700 * KIB);
  await commitFile(store, "child", "base", 300 * KIB);
  await store.index.save(["key"], "key", [{ kind: "snapshot", name: "child" }], keyParts("RUN child"));
  await putBlob(store, "x".repeat(100 * KIB));
  using copy = await openLocalCopy(store.root, "context", async () => {});
  mkdirSync(path.join(copy.path, "src"));
  for (let n = 0; n < 50; n++) writeFileSync(path.join(copy.path, "src", `${n}`), Buffer.alloc(3 * KIB, n));
}

async function counted(store: Store): Promise<number> {
  return (await diskUsage(store)).reduce((sum, { size }) => sum + size, metadataUsage(store.root).size);
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= expected / 100, `${actual} is not within 1 % of ${expected}`);
}

test("diskUsage() and metadataUsage() come to what du says, before and after a collection", () =>
  withStore(async (first) => {
    const { root } = first;
    await fill(first);
    await first[Symbol.asyncDispose]();
    await using store = await openStore({ root });
    const du = () => Number(execFileSync("du", ["-s", "-B1", root], { encoding: "utf8" }).split("\t")[0]);
    assertNear(await counted(store), du());
    assert.ok((await collect(store, [{ ...none, maxUsedBytes: 1000 * KIB }])).removed.length > 0);
    assertNear(await counted(store), du());
    await collect(store, [none]);
    assert.deepEqual(await diskUsage(store), []);
    assertNear(await counted(store), du());
  }));

test("what a collection frees by the store's count is what the file system has got back", async (t) => {
  await using disk = await mountTmpfs("64m");
  if (disk === null) return t.skip("may not mount");
  const root = path.join(disk.path, "store");
  {
    await using first = await openStore({ root });
    await fill(first);
  }
  await using store = await openStore({ root });
  const used = () => {
    const { blocks, bfree, bsize } = statfsSync(disk.path);
    return (blocks - bfree) * bsize;
  };
  const before = { counted: await counted(store), used: used() };
  assertNear(before.counted, before.used);
  const { freedBytes } = await collect(store, [none]);
  assert.ok(freedBytes > 1100 * KIB);
  assertNear(before.counted - (await counted(store)), before.used - used());
});

test("collect() removes nothing without rules, and by a rule about some things only these", () =>
  withStore(async (first) => {
    const { root } = first;
    await fill(first);
    await first[Symbol.asyncDispose]();
    await using store = await openStore({ root });
    assert.deepEqual((await collect(store, [])).removed, []);
    const { removed } = await collect(store, [{ ...none, matches: ({ type }) => type === "source.local" }]);
    assert.deepEqual(removed.map(({ type }) => type), ["source.local"]);
    assert.equal((await diskUsage(store)).length, 3);
  }));

test("collect() leaves what came into use after its plan was made", () =>
  withStore(async (first) => {
    const { root } = first;
    await fill(first);
    await first[Symbol.asyncDispose]();
    await using store = await openStore({ root });
    await using other = await openStore({ root });
    await other.index.query("key");
    const { removed } = await collect(store, [none]);
    assert.deepEqual(removed.map(({ type }) => type).sort(), ["blob", "source.local"]);
  }));

test("collectionPlan() counts the store's own files, which never go", () =>
  withStore(async (store) => {
    const [metadata, ...rest] = await collectionPlan(store, [none]);
    assert.deepEqual(rest, []);
    assert.deepEqual([metadata?.item.type, metadata?.verdict.kind], ["internal", "in-use"]);
    assert.ok((metadata?.item.size ?? 0) > 0);
  }));

test("diskUsage() of a directory that hard links join counts their bytes once", async () => {
  await using dir = await tempDir();
  await using store = await openStore({ root: path.join(dir.path, "store") });
  using copy = await openLocalCopy(store.root, "links", async () => {});
  writeFileSync(path.join(copy.path, "a"), Buffer.alloc(100 * KIB, 1));
  execFileSync("ln", ["a", "b"], { cwd: copy.path });
  const [record] = await diskUsage(store);
  assert.ok(record!.size >= 100 * KIB && record!.size < 120 * KIB, `${record!.size}`);
});
