import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { withStore } from "../../cache/testing/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { exportLayout, layerSuffixes, loadedTree, makeOutput, outputOf, umociTree } from "../../fixtures/exportLayout.js";
import { foreignArchive, treeListing } from "../../fixtures/foreignArchive.js";
import { registryMissing } from "../../fixtures/registry.js";
import { loadArchive } from "../image/archive.js";
import { createExporter } from "./mod.js";

const skip = registryMissing();

for (const [compression, suffix] of [["gzip", "+gzip"], ["zstd", "+zstd"], ["uncompressed", ""]] as const) {
  test(`compression=${compression} by force is read by skopeo, umoci and load as the same files`, { skip }, async () => {
    await withStore(async (store) => {
      await using dir = await tempDir();
      const output = await makeOutput(store, dir.path, compression === "zstd" ? "gzip" : "zstd");
      const layout = path.join(dir.path, "layout");
      const made = await exportLayout(store, output, layout, { compression, "force-compression": "true" });
      assert.deepEqual(layerSuffixes(made), [suffix, suffix]);
      await using tree = await mountTree(await store.snapshots.view("top"));
      const expected = treeListing(`${tree.path}/.`);
      assert.equal(umociTree(layout, dir.path), expected);
      assert.equal(await loadedTree(layout, dir.path), expected);
    });
  });
}

test("compressions without an index of their own make one config, and the same bytes in another store", { skip }, async () => {
  await using dir = await tempDir();
  const digests: Record<string, unknown[]> = { gzip: [], zstd: [], uncompressed: [] };
  const configs = new Set<string>();
  const archive = foreignArchive(dir.path, "none");
  const files = readFileSync(archive);
  for (const round of ["a", "b"]) {
    for (const compression of Object.keys(digests)) {
      await withStore(async (store) => {
        const own = path.join(dir.path, `${round}-${compression}`);
        mkdirSync(own);
        writeFileSync(path.join(own, "foreign.tar"), files);
        const [record] = await loadArchive(store, path.join(own, "foreign.tar"));
        const image: ImageConfig = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } };
        const output = outputOf(record!.manifests[0]!.layers[0]!.snapshot, image);
        const { manifest } = await exportLayout(store, output, path.join(own, "layout"), { compression, "force-compression": "true" });
        configs.add(manifest.config.digest);
        digests[compression]!.push(manifest.layers);
      });
    }
  }
  assert.equal(configs.size, 1);
  for (const [first, second] of Object.values(digests)) assert.deepEqual(first, second);
});

test("without force-compression base layers keep their blobs, and so do layers packed before", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store, dir.path, "gzip");
    const run = (name: string, attrs: Record<string, string>) => exportLayout(store, output, path.join(dir.path, name), attrs);
    const mixed = await run("mixed", { compression: "zstd" });
    assert.deepEqual(layerSuffixes(mixed), ["+gzip", "+zstd"]);
    assert.deepEqual(layerSuffixes(await run("later", {})), ["+gzip", "+zstd"]);
    assert.deepEqual(layerSuffixes(await run("forced", { "force-compression": "true" })), ["+gzip", "+gzip"]);
    const docker = await run("docker", { compression: "zstd", "oci-mediatypes": "false" });
    assert.deepEqual(docker.manifest.layers.map(({ mediaType }) => mediaType), [
      "application/vnd.docker.image.rootfs.diff.tar.gzip",
      "application/vnd.docker.image.rootfs.diff.tar.zstd",
    ]);
  });
});

test("compression-level is the level of the kind of compression, and checked", { skip }, async () => {
  await using dir = await tempDir();
  const sizes = new Map<string, number>();
  for (const [compression, level] of [["gzip", "0"], ["gzip", "1"], ["gzip", "9"], ["zstd", "0"], ["zstd", "19"]] as const) {
    await withStore(async (store) => {
      const own = path.join(dir.path, `${compression}-${level}`);
      mkdirSync(own);
      const output = await makeOutput(store, own);
      const { manifest } = await exportLayout(store, output, path.join(own, "layout"), { compression, "compression-level": level });
      sizes.set(`${compression} ${level}`, manifest.layers[1]!.size);
    });
  }
  const [stored, fast, small, zstdFast, zstdSmall] = [...sizes.values()] as [number, number, number, number, number];
  assert.ok(stored > 3_000_000 && fast < stored && small < fast && zstdSmall < zstdFast, JSON.stringify([...sizes]));
  for (const attrs of [
    { compression: "gzip", "compression-level": "10" },
    { compression: "zstd", "compression-level": "23" },
    { compression: "zstd", "compression-level": "-1" },
    { compression: "estargz", "compression-level": "10" },
    { compression: "estargz", "oci-mediatypes": "false" },
    { compression: "xz" },
    { compression: "constructor" },
  ]) {
    const make = () => createExporter({ type: "oci", attrs: { dest: "x", ...attrs } as Record<string, string> }, {} as never);
    assert.throws(make, (error) => hasCode(error, "invalid_argument"), JSON.stringify(attrs));
  }
});

test("compression=nydus and overlaybd are refused by name", () => {
  for (const compression of ["nydus", "overlaybd"]) {
    const make = () => createExporter({ type: "oci", attrs: { dest: "x", compression } }, {} as never);
    assert.throws(make, (error) => hasCode(error, "unsupported"), compression);
  }
});
