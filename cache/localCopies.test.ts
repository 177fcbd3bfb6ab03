import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { listLocalCopies, openLocalCopy, removeLocalCopy } from "./localCopies.js";
import { storeLayout } from "./layout.js";
import { tempDir } from "./testing/tempDir.js";

const removeTree = (dir: string) => rm(dir, { recursive: true, force: true });

test("openLocalCopy() gives what the last user left, and another copy while it is used", async () => {
  await using dir = await tempDir();
  {
    using first = await openLocalCopy(dir.path, "context::key", removeTree);
    writeFileSync(path.join(first.path, "file"), "1");
    using second = await openLocalCopy(dir.path, "context::key", removeTree);
    assert.notEqual(second.path, first.path);
    assert.deepEqual(readdirSync(second.path), []);
    assert.deepEqual(listLocalCopies(dir.path).map(({ key, inUse }) => [key, inUse]), [["context::key", true], ["context::key", true]]);
  }
  using again = await openLocalCopy(dir.path, "context::key", removeTree);
  assert.deepEqual(readdirSync(again.path), ["file"]);
  using other = await openLocalCopy(dir.path, "dockerfile::key", removeTree);
  assert.deepEqual(readdirSync(other.path), []);
});

test("openLocalCopy() begins anew after the machine was started", async () => {
  await using dir = await tempDir();
  const first = await openLocalCopy(dir.path, "k", removeTree);
  writeFileSync(path.join(first.path, "file"), "");
  first[Symbol.dispose]();
  writeFileSync(`${first.path}.boot`, "another boot");
  using second = await openLocalCopy(dir.path, "k", removeTree);
  assert.equal(second.path, first.path);
  assert.deepEqual(readdirSync(second.path), []);
});

test("removeLocalCopy() removes what nobody uses, also what a kill left half removed", async () => {
  await using dir = await tempDir();
  const copy = await openLocalCopy(dir.path, "k", removeTree);
  const [{ name, path: at, createdAt, lastUsedAt }] = listLocalCopies(dir.path) as [ReturnType<typeof listLocalCopies>[number]];
  assert.equal(at, copy.path);
  assert.ok(createdAt > 0 && lastUsedAt > 0);
  assert.equal(await removeLocalCopy(dir.path, name, removeTree), false);
  copy[Symbol.dispose]();
  assert.equal(await removeLocalCopy(dir.path, name, removeTree), true);
  assert.deepEqual(listLocalCopies(dir.path), []);
  mkdirSync(`${at}.gone`);
  assert.deepEqual(listLocalCopies(dir.path).map((found) => found.path), [`${at}.gone`]);
  assert.equal(await removeLocalCopy(dir.path, name, removeTree), true);
  assert.equal(existsSync(`${at}.gone`), false);
});

test("listLocalCopies() finds none in a store that never had one", async () => {
  await using dir = await tempDir();
  rmSync(storeLayout(dir.path).localCopies, { recursive: true, force: true });
  assert.deepEqual(listLocalCopies(dir.path), []);
});
