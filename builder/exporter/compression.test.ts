import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import type { ImageConfig, Manifest } from "../../cache/oci/descriptor.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import { withStore } from "../../cache/testing/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { foreignArchive, treeListing, type ForeignCompression } from "../../fixtures/foreignArchive.js";
import { registryMissing } from "../../fixtures/registry.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { loadArchive } from "../image/archive.js";
import { layerPreparer } from "../image/prepare.js";
import type { BuildOutput } from "./exporter.js";
import { createExporter } from "./mod.js";

const skip = registryMissing();
const platform = parsePlatform("linux/amd64");
const shape = { platforms: [platform], root: "manifest" } as const;
const steps: StepOpts = {
  signal: new AbortController().signal,
  report: { log() {}, status() {}, statusDone() {}, warn() {} },
};

/** An image of a foreign base layer and one of ours, which hides a file and adds others. */
async function makeOutput(store: Store, dir: string, base: ForeignCompression = "gzip"): Promise<BuildOutput> {
  const [record] = await loadArchive(store, foreignArchive(dir, base));
  const parent = record!.manifests[0]!.layers.at(-1)!.snapshot;
  {
    await using tree = await mountTree(await store.snapshots.prepare("top-key", parent));
    mkdirSync(`${tree.path}/etc`);
    for (let i = 0; i < 50; i++) writeFileSync(`${tree.path}/etc/file-${i}`, `${i} `.repeat(i * 1000));
    writeFileSync(`${tree.path}/etc/ünïcode <&>`, "x", { mode: 0o600 });
    rmSync(`${tree.path}/name`);
  }
  await store.snapshots.commit("top", "top-key");
  const image: ImageConfig = { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [] } };
  return outputOf("top", image);
}

function outputOf(snapshot: string, image: ImageConfig): BuildOutput {
  return { platforms: [{ platform, ref: { kind: "snapshot", name: snapshot }, image, baseDiffIds: [] }], root: "manifest" };
}

/** Exports as `type=oci,tar=false` with early packing, as a build does. */
async function exportLayout(store: Store, output: BuildOutput, dest: string, attrs: Record<string, string>): Promise<Exported> {
  const exporter = createExporter({ type: "oci", attrs: { dest, tar: "false", name: "app:v1", ...attrs } }, { store, shape });
  await using layers = layerPreparer(store, exporter.needs, {});
  layers.begin("top");
  await exporter.export(output, { ...steps, layers });
  const index = json<{ manifests: readonly { digest: string }[] }>(path.join(dest, "index.json"));
  const manifest = json<Manifest>(blobPath(dest, index.manifests[0]!.digest));
  return { manifest, config: json<ImageConfig>(blobPath(dest, manifest.config.digest)) };
}

interface Exported {
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

function json<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}

function blobPath(layout: string, digest: string): string {
  return path.join(layout, "blobs", digest.replace(":", "/"));
}

function types({ manifest }: Exported): readonly string[] {
  return manifest.layers.map(({ mediaType }) => mediaType.replace(/^.*\.tar/, ""));
}

/** The tree that umoci makes of a layout; skopeo has it all as gzip before, since umoci knows no zstd. */
function umociTree(layout: string, dir: string): string {
  const [copy, bundle] = [path.join(dir, "copy"), path.join(dir, "bundle")];
  execFileSync("skopeo", ["copy", "-q", "--dest-compress-format", "gzip", `oci:${layout}:v1`, `oci:${copy}:v1`]);
  execFileSync("umoci", ["unpack", "--image", `${copy}:v1`, bundle], { stdio: "ignore" });
  const listing = treeListing(path.join(bundle, "rootfs"));
  for (const made of [copy, bundle]) rmSync(made, { recursive: true });
  return listing;
}

/** The tree that we make of a layout in a store of its own. */
async function loadedTree(layout: string, dir: string): Promise<string> {
  const archive = path.join(dir, "archive.tar");
  execFileSync("tar", ["-C", layout, "-cf", archive, "."]);
  let listing = "";
  await withStore(async (store) => {
    const [record] = await loadArchive(store, archive);
    await using tree = await mountTree(await store.snapshots.view(record!.manifests[0]!.layers.at(-1)!.snapshot));
    listing = treeListing(`${tree.path}/.`);
  });
  return listing;
}

for (const [compression, suffix] of [["gzip", "+gzip"], ["zstd", "+zstd"], ["uncompressed", ""]] as const) {
  test(`compression=${compression} by force is read by skopeo, umoci and load as the same files`, { skip }, async () => {
    await withStore(async (store) => {
      await using dir = await tempDir();
      const output = await makeOutput(store, dir.path, compression === "zstd" ? "gzip" : "zstd");
      const layout = path.join(dir.path, "layout");
      const made = await exportLayout(store, output, layout, { compression, "force-compression": "true" });
      assert.deepEqual(types(made), [suffix, suffix]);
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
    assert.deepEqual(types(mixed), ["+gzip", "+zstd"]);
    assert.deepEqual(types(await run("later", {})), ["+gzip", "+zstd"]);
    assert.deepEqual(types(await run("forced", { "force-compression": "true" })), ["+gzip", "+gzip"]);
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
    { compression: "xz" },
    { compression: "constructor" },
  ]) {
    const make = () => createExporter({ type: "oci", attrs: { dest: "x", ...attrs } as Record<string, string> }, {} as never);
    assert.throws(make, (error) => hasCode(error, "invalid_argument"), JSON.stringify(attrs));
  }
});
