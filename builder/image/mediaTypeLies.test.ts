import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { mediaTypes, type Index } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { withStore } from "../../cache/testing/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { blobPath, exportLayout, loadedTree, makeOutput } from "../../fixtures/exportLayout.js";
import { treeListing } from "../../fixtures/foreignArchive.js";

const truths = ["gzip", "zstd", "uncompressed", "estargz"] as const;
const lies = [mediaTypes.ociLayer, mediaTypes.ociLayerGzip, mediaTypes.ociLayerZstd] as const;

/** Gives all layers of a layout's image another media type. */
function relabel(layout: string, mediaType: string): void {
  const file = path.join(layout, "index.json");
  const index = JSON.parse(readFileSync(file, "utf8")) as Index;
  const [entry] = index.manifests;
  const text = readFileSync(blobPath(layout, entry!.digest), "utf8");
  const bytes = Buffer.from(text.replaceAll(/application\/vnd\.oci\.image\.layer[^"]+/g, mediaType));
  const digest = digestOf(bytes);
  writeFileSync(blobPath(layout, digest), bytes);
  writeFileSync(file, JSON.stringify({ ...index, manifests: [{ ...entry, digest, size: bytes.length }] }));
}

for (const compression of truths) {
  test(`layers that are ${compression} are unpacked whatever their media type says`, async () => {
    await withStore(async (store) => {
      await using dir = await tempDir();
      const output = await makeOutput(store, dir.path);
      const layout = path.join(dir.path, "layout");
      await exportLayout(store, output, layout, { compression, "force-compression": "true" });
      await using tree = await mountTree(await store.snapshots.view("top"));
      for (const mediaType of lies) {
        relabel(layout, mediaType);
        assert.equal(await loadedTree(layout, dir.path), treeListing(`${tree.path}/.`), mediaType);
      }
    });
  });
}
