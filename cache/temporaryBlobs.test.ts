import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { type Digest, digestOf } from "./oci/digest.js";
import { openStore, type Store } from "./store.js";
import { tempDir } from "./testing/tempDir.js";

async function put({ content }: Store, text: string): Promise<Digest> {
  await using ingest = await content.ingest(`test-${text}`);
  await ingest.write(Buffer.from(text));
  return (await ingest.commit()).digest;
}

const has = ({ content }: Store, digest: Digest): boolean => existsSync(content.pathOf(digest));

test("temporaryBlobs() deletes a blob when nobody wants it any more", async () => {
  await using dir = await tempDir();
  await using store = await openStore({ root: dir.path });
  const first = store.temporary.hold();
  const second = store.temporary.hold();
  const digest = digestOf("x");
  for (const held of [first, second, second]) held.add(digest);
  await put(store, "x");
  await first[Symbol.asyncDispose]();
  assert.ok(has(store, digest));
  await second[Symbol.asyncDispose]();
  assert.ok(!has(store, digest));
});

test("temporaryBlobs() leaves what another process uses, and what a record names", async () => {
  await using dir = await tempDir();
  await using store = await openStore({ root: dir.path });
  await using other = await openStore({ root: dir.path });
  const [used, named] = [await put(store, "used"), await put(store, "named")];
  await other.content.info(used);
  const blobs = [{ mediaType: "x", digest: named, size: 5 }];
  await store.meta.transaction((tx) => tx.layers.put("layer", { diffId: named, size: 5, empty: false, blobs }));
  const held = store.temporary.hold();
  held.add(used);
  held.add(named);
  await held[Symbol.asyncDispose]();
  assert.ok(has(store, used));
  assert.ok(has(store, named));
});
