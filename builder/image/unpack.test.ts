import assert from "node:assert/strict";
import test from "node:test";
import { describeTree, tarOf, type TarPart } from "../../cache/diff/diffFixture.js";
import { hasCode } from "../../cache/errors.js";
import { mediaTypes } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import { withStore } from "../../cache/testing/store.js";
import type { PackedLayer } from "./applyBlob.js";
import { chainIds, unpackLayers } from "./unpack.js";

const dir = (name: string): TarPart => ({ name, type: "dir" });
const file = (name: string, data = "x"): TarPart => ({ name, data });

const layers: readonly (readonly TarPart[])[] = [
  [dir("d"), file("d/a"), file("d/b"), dir("e"), file("e/f"), file("gone")],
  // Its directory is the base's: it has to wait for that.
  [file("d/late")],
  [dir("d"), file("d/.wh.a"), file(".wh.gone"), file("e/.wh..wh..opq")],
  [dir("e"), file("e/.wh..wh..opq"), file("e/new")],
];

async function packed(store: Store, parts: readonly TarPart[]): Promise<PackedLayer> {
  const bytes = tarOf(...parts);
  const digest = digestOf(bytes);
  await using ingest = await store.content.ingest(digest);
  await ingest.write(bytes);
  await ingest.commit({ digest });
  return { diffId: digest, blob: { mediaType: mediaTypes.ociLayer, digest, size: bytes.length } };
}

async function names(store: Store, snapshot: string): Promise<readonly string[]> {
  await using tree = await mountTree(await store.snapshots.view(snapshot));
  return describeTree(tree.path).map((line) => line.slice(0, line.indexOf(" ")));
}

async function snapshotNames(store: Store): Promise<readonly string[]> {
  const found = [];
  for await (const { name } of store.snapshots.walk()) found.push(name);
  return found.sort();
}

/** Settles the fetches of the layers in the opposite order, one after the other. */
function backwards(count: number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) < count) return;
      waiting.reverse().forEach((settle, index) => setTimeout(settle, index * 5));
    });
}

test("unpackLayers() makes each layer's snapshot whatever the order in which they arrive", async () => {
  await withStore(async (store) => {
    const all = await Promise.all(layers.map((parts) => packed(store, parts)));
    const chain = chainIds(all.map(({ diffId }) => diffId));
    assert.equal(await unpackLayers(store, all, { fetch: backwards(all.length) }), chain.at(-1));
    assert.deepEqual(await names(store, chain[1]!), ["/d", "/d/a", "/d/b", "/d/late", "/e", "/e/f", "/gone"]);
    assert.deepEqual(await names(store, chain[2]!), ["/d", "/d/b", "/d/late", "/e"]);
    assert.deepEqual(await names(store, chain[3]!), ["/d", "/d/b", "/d/late", "/e", "/e/new"]);
    assert.deepEqual(await snapshotNames(store), [...chain].sort());
    assert.deepEqual(await Promise.all(chain.map(async (name) => (await store.snapshots.stat(name)).parent)), [null, ...chain.slice(0, -1)]);
  });
});

test("unpackLayers() fetches only what is not there yet", async () => {
  await withStore(async (store) => {
    const all = await Promise.all(layers.map((parts) => packed(store, parts)));
    await unpackLayers(store, all.slice(0, 2), { fetch: async () => {} });
    const fetched: string[] = [];
    await unpackLayers(store, all, { fetch: async ({ digest }) => void fetched.push(digest) });
    assert.deepEqual(fetched, all.slice(2).map(({ blob }) => blob.digest));
  });
});

test("unpackLayers() leaves no active snapshot when a layer cannot be fetched or is not what the config says", async () => {
  await withStore(async (store) => {
    const all = await Promise.all(layers.map((parts) => packed(store, parts)));
    const failing = async ({ digest }: { readonly digest: string }) => {
      if (digest === all[1]!.blob.digest) throw new Error("no such blob");
    };
    await assert.rejects(unpackLayers(store, all, { fetch: failing }), /no such blob/);
    const wrong = all.map((layer, index) => (index === 3 ? { ...layer, diffId: digestOf("other") } : layer));
    await assert.rejects(unpackLayers(store, wrong, { fetch: async () => {} }), (error) => hasCode(error, "corrupt"));
    const chain = chainIds(all.map(({ diffId }) => diffId));
    assert.deepEqual(await snapshotNames(store), chain.slice(0, 3).toSorted());
  });
});
