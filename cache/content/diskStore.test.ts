import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { hasCode } from "../errors.js";
import { type Digest, digestOf, hexOf } from "../oci/digest.js";
import { mountTmpfs, tempDir } from "../testing/tempDir.js";
import { diskContentStore, removeIngestsOf, removeResumable } from "./diskStore.js";
import { contentStoreSuite } from "./storeSuite.js";

contentStoreSuite("diskContentStore()", async (body) => {
  await using dir = await tempDir();
  await body(diskContentStore(dir.path, { lease: "l1" }));
  assert.deepEqual(readdirSync(path.join(dir.path, "ingest")), []);
  assert.deepEqual(readdirSync(path.join(dir.path, "locks")), []);
});

test("adopt() takes a finished file as a blob", async () => {
  await using dir = await tempDir();
  const store = diskContentStore(dir.path, { lease: "l1" });
  const file = store.scratchPath();
  writeFileSync(file, "data");
  const info = await store.adopt(file, digestOf("data"));
  assert.equal(info.size, 4);
  assert.equal(readFileSync(store.pathOf(info.digest), "utf8"), "data");
  writeFileSync(store.scratchPath(), "data");
  assert.notEqual(store.scratchPath(), file);
});

test("two stores on one directory exclude each other by ref and share blobs", async () => {
  await using dir = await tempDir();
  const one = diskContentStore(dir.path, { lease: "l1" });
  const two = diskContentStore(dir.path, { lease: "l2" });
  await using ingest = await one.ingest("a");
  await assert.rejects(two.ingest("a"), (error) => hasCode(error, "unavailable"));
  await ingest.write(Buffer.from("x"));
  const { digest } = await ingest.commit();
  assert.equal((await two.info(digest)).size, 1);
});

test("walk() passes over files that are no blobs", async () => {
  await using dir = await tempDir();
  const store = diskContentStore(dir.path, { lease: "l1" });
  writeFileSync(path.join(dir.path, "blobs/sha256/README"), "x");
  const seen: Digest[] = [];
  for await (const { digest } of store.walk()) seen.push(digest);
  assert.deepEqual(seen, []);
});

test("ingest() goes on with what a killed process wrote, and removeResumable() removes it unless somebody does", async () => {
  await using dir = await tempDir();
  const store = diskContentStore(dir.path, { lease: "l1" });
  const left = path.join(dir.path, "ingest", `resumable-${hexOf(digestOf("a"))}`);
  writeFileSync(left, "begun ");
  {
    await using ingest = await store.ingest("a", { resume: true });
    removeResumable(dir.path);
    assert.equal(ingest.size, 6);
    await ingest.write(Buffer.from("and ended"));
    assert.equal((await ingest.commit({ digest: digestOf("begun and ended") })).size, 15);
  }
  assert.deepEqual(readdirSync(path.join(dir.path, "ingest")), []);
  writeFileSync(left, "begun");
  removeResumable(dir.path);
  assert.deepEqual(readdirSync(path.join(dir.path, "ingest")), []);
});

test("removeIngestsOf() removes just the writes of that lease", async () => {
  await using dir = await tempDir();
  const dead = diskContentStore(dir.path, { lease: "dead" });
  const live = diskContentStore(dir.path, { lease: "live" });
  writeFileSync(dead.scratchPath(), "x");
  writeFileSync(live.scratchPath(), "x");
  removeIngestsOf(dir.path, "dead");
  assert.deepEqual(readdirSync(path.join(dir.path, "ingest")), ["live-0"]);
});

test("write() on a full disk is resource_exhausted and leaves nothing", async (t) => {
  await using disk = await mountTmpfs("1m");
  if (disk === null) return t.skip("needs root to mount a tmpfs");
  const store = diskContentStore(disk.path, { lease: "l1" });
  {
    await using ingest = await store.ingest("big");
    await assert.rejects(ingest.write(Buffer.alloc(2 << 20)), (error) => hasCode(error, "resource_exhausted"));
  }
  for (const dir of ["ingest", "locks", "blobs/sha256"]) assert.deepEqual(readdirSync(path.join(disk.path, dir)), []);
});
