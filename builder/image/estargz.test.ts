import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { withStore } from "../../cache/testing/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { openEstargz, type EstargzBlob } from "../../fixtures/estargz.js";
import { blobPath, exportLayout, type Exported, loadedTree, makeOutput, outputOf, umociTree } from "../../fixtures/exportLayout.js";
import { treeListing } from "../../fixtures/foreignArchive.js";
import { registryMissing } from "../../fixtures/registry.js";
import { loadArchive } from "./archive.js";

const skip = registryMissing();
const TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest";
const UNCOMPRESSED_SIZE = "io.containers.estargz.uncompressed-size";

/** Checks what the layer's descriptor and the config say of its blob. */
function openLayer(layout: string, { manifest, config }: Exported, index: number): EstargzBlob {
  const { mediaType, digest, annotations } = manifest.layers[index]!;
  const blob = readFileSync(blobPath(layout, digest));
  const estargz = openEstargz(blob);
  const tar = gunzipSync(blob);
  assert.equal(mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
  assert.equal(config.rootfs.diff_ids[index], digestOf(tar));
  assert.deepEqual(annotations, { [TOC_DIGEST]: estargz.tocDigest, [UNCOMPRESSED_SIZE]: String(tar.length) });
  return estargz;
}

test("compression=estargz makes eStargz of the build's layers, and by force of the base's", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store, dir.path, "zstd");
    const [plain, own, all] = ["plain", "own", "all"].map((name) => path.join(dir.path, name)) as [string, string, string];
    const before = await exportLayout(store, output, plain, {});
    const made = await exportLayout(store, output, own, { compression: "estargz" });
    assert.deepEqual(made.manifest.layers[0], before.manifest.layers[0]);
    assert.equal(openLayer(own, made, 1).readFile("etc/file-7").toString(), "7 ".repeat(7000));
    const forced = await exportLayout(store, output, all, { compression: "estargz", "force-compression": "true" });
    assert.equal(openLayer(all, forced, 0).readFile("./name").toString(), "base\n");
    assert.equal(openLayer(all, forced, 0).readFile("./usr/bin/tool").length, 5_300_000);
    openLayer(all, forced, 1);
    assert.deepEqual((await exportLayout(store, output, path.join(dir.path, "after"), {})), before);
    await using tree = await mountTree(await store.snapshots.view("top"));
    const expected = treeListing(`${tree.path}/.`);
    for (const layout of [own, all]) {
      assert.equal(umociTree(layout, dir.path), expected);
      assert.equal(await loadedTree(layout, dir.path), expected);
    }
  });
});

test("compression=estargz gives equal images in other stores, whatever was packed before", { skip }, async () => {
  await using dir = await tempDir();
  const digests = new Set<string>();
  for (const before of [null, "gzip", "uncompressed"]) {
    await withStore(async (store) => {
      const snapshot = "one";
      {
        await using tree = await mountTree(await store.snapshots.prepare("key", null));
        execFileSync("sh", ["-c", "seq 300000 > seq; mkdir d; ln -s seq d/l; touch -h -d @1 seq d/l d"], { cwd: tree.path });
      }
      await store.snapshots.commit(snapshot, "key");
      const image: ImageConfig = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } };
      const run = (name: string, compression: string) =>
        exportLayout(store, outputOf(snapshot, image), path.join(dir.path, `${before}-${name}`), { compression });
      if (before !== null) await run("before", before);
      digests.add((await run("estargz", "estargz")).manifest.layers[0]!.digest);
    });
  }
  assert.equal(digests.size, 1);
});

test("an eStargz base keeps its blob and its annotations, and is not converted again", { skip }, async () => {
  await using dir = await tempDir();
  const layout = path.join(dir.path, "layout");
  let base: Exported | null = null;
  await withStore(async (store) => {
    base = await exportLayout(store, await makeOutput(store, dir.path), layout, { compression: "estargz", "force-compression": "true" });
  });
  execFileSync("tar", ["-C", layout, "-cf", `${dir.path}/base.tar`, "."]);
  await withStore(async (store) => {
    const [record] = await loadArchive(store, `${dir.path}/base.tar`);
    const { layers } = record!.manifests[0]!;
    const output = outputOf(layers.at(-1)!.snapshot, base!.config, layers.map(({ diffId }) => diffId));
    for (const attrs of [{}, { compression: "estargz", "force-compression": "true" }]) {
      const again = await exportLayout(store, output, path.join(dir.path, `again-${Object.keys(attrs).length}`), attrs);
      assert.deepEqual(again.manifest.layers, base!.manifest.layers);
    }
  });
});

test("compression=estargz with rewrite-timestamp=true writes the clamped times", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store, dir.path);
    const dated = { ...output, platforms: output.platforms.map((one) => ({ ...one, image: { ...one.image, created: "2001-09-09T01:46:40Z" } })) };
    const layout = path.join(dir.path, "layout");
    const made = await exportLayout(store, dated, layout, { compression: "estargz", "rewrite-timestamp": "true" });
    const times = openLayer(layout, made, 1).entries.flatMap(({ type, name, modtime }) => (type === "chunk" || name === ".wh.name" ? [] : modtime));
    assert.deepEqual([...new Set(times)], ["2001-09-09T01:46:40Z"]);
  });
});
