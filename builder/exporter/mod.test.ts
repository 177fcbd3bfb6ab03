import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import type { ImageConfig, Manifest } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import { withStore } from "../../cache/testing/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { registryMissing } from "../../fixtures/registry.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { importRootfs, loadArchive, saveImages } from "../image/archive.js";
import { layerPreparer } from "../image/prepare.js";
import type { BuildOutput, ExportOpts, ExportSpec } from "./exporter.js";
import { createExporter } from "./mod.js";

const skip = registryMissing();
const platform = parsePlatform("linux/amd64");
const opts: StepOpts = {
  signal: new AbortController().signal,
  report: { log() {}, status() {}, statusDone() {}, warn() {} },
};

async function addLayer(store: Store, name: string, parent: string | null, write: (root: string) => void): Promise<string> {
  {
    await using tree = await mountTree(await store.snapshots.prepare(`${name}-key`, parent));
    write(tree.path);
  }
  await store.snapshots.commit(name, `${name}-key`);
  return name;
}

/** Three steps, of which the second changes nothing. */
async function makeOutput(store: Store): Promise<BuildOutput> {
  const base = await addLayer(store, "one", null, (root) => {
    mkdirSync(`${root}/etc`);
    writeFileSync(`${root}/etc/a`, "a");
    writeFileSync(`${root}/gone`, "x");
  });
  const empty = await addLayer(store, "two", base, () => {});
  const top = await addLayer(store, "three", empty, (root) => {
    rmSync(`${root}/gone`);
    writeFileSync(`${root}/etc/b`, "b".repeat(100_000));
  });
  const image: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    created: "2024-01-01T00:00:00Z",
    config: { Cmd: ["cat", "/etc/a"], Labels: { x: "y" } },
    rootfs: { type: "layers", diff_ids: [] },
    history: [
      { created_by: "COPY a" },
      { created_by: "RUN true" },
      { created_by: "ENV", empty_layer: true },
      { created_by: "RUN rm gone" },
    ],
  };
  return { platforms: [{ platform, ref: { kind: "snapshot", name: top }, image, baseDiffIds: [] }], root: "manifest" };
}

const shapeOf = ({ platforms, root }: BuildOutput) => ({ platforms: platforms.map((one) => one.platform), root });

const run = (store: Store, output: BuildOutput, type: ExportSpec["type"], attrs: Record<string, string>) =>
  createExporter({ type, attrs }, { store, shape: shapeOf(output) }).export(output, exportOpts(store));

function exportOpts(store: Store): ExportOpts {
  return { ...opts, layers: layerPreparer(store, { kind: "diff-ids" }, {}) };
}

function skopeo<T = Inspected>(...args: string[]): T {
  return JSON.parse(execFileSync("skopeo", ["inspect", ...args], { encoding: "utf8" })) as T;
}

interface Inspected {
  readonly Digest: string;
  readonly Layers: readonly string[];
  readonly Labels: object;
}

test("type=oci and type=docker are read by skopeo and umoci, and are the same each time", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store);
    const oci = path.join(dir.path, "oci.tar");
    const made = await run(store, output, "oci", { dest: oci, name: "app:v1,other/app" });
    assert.equal(made.metadata["image.name"], "docker.io/library/app:v1,docker.io/other/app:latest");
    const inspected = skopeo(`oci-archive:${oci}:v1`);
    assert.equal(inspected.Digest, made.metadata["containerimage.digest"]);
    assert.equal(inspected.Layers.length, 2);
    assert.deepEqual(inspected.Labels, { x: "y" });
    const config = skopeo<ImageConfig>("--config", `oci-archive:${oci}:v1`);
    assert.deepEqual(config.history?.map(({ empty_layer }) => empty_layer === true), [false, true, true, false]);
    const decoded = JSON.parse(
      Buffer.from(made.metadata["containerimage.descriptor"]!, "base64").toString(),
    ) as { digest: string };
    assert.equal(decoded.digest, made.descriptor?.digest);

    const docker = path.join(dir.path, "docker.tar");
    const second = await run(store, output, "docker", { dest: docker, name: "app:v1" });
    assert.equal(second.metadata["containerimage.digest"], made.metadata["containerimage.digest"]);
    assert.deepEqual(skopeo(`docker-archive:${docker}:app:v1`).Labels, { x: "y" });
    assert.equal(skopeo(`oci-archive:${docker}:v1`).Digest, made.metadata["containerimage.digest"]);

    const before = readFileSync(oci);
    await run(store, output, "oci", { dest: oci, name: "app:v1,other/app" });
    assert.ok(before.equals(readFileSync(oci)));
    assert.deepEqual(readdirSync(dir.path).sort(), ["docker.tar", "oci.tar"]);

    const layout = path.join(dir.path, "layout");
    await run(store, output, "oci", { dest: layout, tar: "false", name: "app:v1" });
    execFileSync("umoci", ["unpack", "--image", `${layout}:v1`, path.join(dir.path, "bundle")], { stdio: "ignore" });
    assert.deepEqual(readdirSync(path.join(dir.path, "bundle/rootfs")), ["etc"]);
    assert.equal(readFileSync(path.join(dir.path, "bundle/rootfs/etc/b"), "utf8").length, 100_000);
  });
});

test("compression=uncompressed is taken literally only by force", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store);
    const types = async (attrs: Record<string, string>) => {
      const dest = path.join(dir.path, "x.tar");
      await run(store, output, "oci", { dest, ...attrs });
      const { layers } = skopeo<Manifest>("--raw", `oci-archive:${dest}`);
      return layers.map(({ mediaType }) => mediaType.split(".tar")[1]);
    };
    assert.deepEqual(await types({}), ["+gzip", "+gzip"]);
    assert.deepEqual(await types({ compression: "uncompressed" }), ["+gzip", "+gzip"]);
    assert.deepEqual(await types({ compression: "uncompressed", "force-compression": "true" }), ["", ""]);
    assert.deepEqual(await types({ compression: "gzip", "oci-mediatypes": "false" }), [".gzip", ".gzip"]);
  });
});

test("type=image stores the image without compressing, and save, remove and load give it back", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store);
    const { metadata } = await run(store, output, "image", { name: "app:v1" });
    const id = metadata["containerimage.config.digest"] as Digest;
    const blobs = [];
    for await (const { digest } of store.content.walk()) blobs.push(digest);
    assert.deepEqual(blobs, [id]);
    for (const format of ["oci", "docker"] as const) {
      const dest = path.join(dir.path, `${format}.tar`);
      await saveImages(store, ["app:v1"], dest, format);
      execFileSync("gzip", ["-k", dest]);
      await withStore(async (other) => {
        for (const file of [dest, `${dest}.gz`]) {
          const [record] = await loadArchive(other, file);
          assert.equal(record?.name, "docker.io/library/app:v1");
          assert.equal(record.manifests[0]?.config, id);
        }
        const top = other.images.resolve("app:v1").manifests[0]!.layers.at(-1)!.snapshot;
        await using tree = await mountTree(await other.snapshots.view(top));
        assert.deepEqual(readdirSync(`${tree.path}/.`), ["etc"]);
        const again = path.join(dir.path, `again-${format}.tar`);
        await saveImages(other, ["app:v1"], again, format);
        assert.ok(readFileSync(dest).equals(readFileSync(again)));
      });
    }
  });
});

test("type=local and type=tar write the files", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store);
    const dest = path.join(dir.path, "out");
    await run(store, output, "local", { dest });
    assert.equal(readFileSync(path.join(dest, "etc/a"), "utf8"), "a");
    assert.ok(!existsSync(path.join(dest, "gone")));
    const stdout = new PassThrough();
    const chunks: Buffer[] = [];
    stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    await createExporter({ type: "tar", attrs: { dest: "-" } }, { store, stdout, shape: shapeOf(output) }).export(output, exportOpts(store));
    const listing = execFileSync("tar", ["-tf", "-"], { input: Buffer.concat(chunks), encoding: "utf8" });
    assert.deepEqual(
      listing.trim().split("\n").map((line) => line.replace(/^\.\//, "")).filter(Boolean),
      ["etc/", "etc/a", "etc/b"],
    );
    const empty: BuildOutput = { ...output, platforms: [{ ...output.platforms[0]!, ref: { kind: "snapshot", name: null } }] };
    await run(store, empty, "tar", { dest: path.join(dir.path, "empty.tar") });
    assert.equal(execFileSync("tar", ["-tf", path.join(dir.path, "empty.tar")], { encoding: "utf8" }).replace("./\n", ""), "");
  });
});

test("importRootfs() makes an image of one layer with the changed config", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    writeFileSync(path.join(dir.path, "hello"), "hi");
    execFileSync("tar", ["-C", dir.path, "-czf", path.join(dir.path, "r.tgz"), "hello"]);
    const file = path.join(dir.path, "r.tgz");
    const record = await importRootfs(store, file, { ref: "imported", changes: [`CMD ["/hello"]`, "ENV A=b"] });
    assert.equal(record.name, "docker.io/library/imported:latest");
    await saveImages(store, ["imported"], path.join(dir.path, "s.tar"), "oci");
    const config = skopeo<ImageConfig>("--config", `oci-archive:${dir.path}/s.tar`);
    assert.deepEqual(config.config?.Cmd, ["/hello"]);
    assert.ok(config.config?.Env?.includes("A=b"));
    assert.equal(config.rootfs.diff_ids.length, 1);
    await assert.rejects(
      importRootfs(store, file, { ref: null, changes: ["RUN true"] }),
      (error) => hasCode(error, "invalid_argument"),
    );
    await assert.rejects(importRootfs(store, `${file}x`, { ref: null }), (error) => hasCode(error, "not_found"));
  });
});

test("loadArchive() refuses hostile and damaged archives", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const { pack } = await import("tar-stream");
    const hex = "0".repeat(64);
    const archives: readonly (readonly [string, (tar: ReturnType<typeof pack>) => void])[] = [
      ["path_escape", (tar) => void tar.entry({ name: "../evil" }, "x")],
      ["path_escape", (tar) => void tar.entry({ name: "a/link", type: "symlink", linkname: "../../etc/passwd" })],
      ["path_escape", (tar) => void tar.entry({ name: "link", type: "link", linkname: "/etc/passwd" })],
      ["unsupported", (tar) => void tar.entry({ name: "device", type: "character-device" })],
      ["digest_mismatch", (tar) => void tar.entry({ name: `blobs/sha256/${hex}` }, "x")],
      ["corrupt", (tar) => void tar.entry({ name: "manifest.json" }, "{}")],
      ["corrupt", (tar) => void tar.entry({ name: "manifest.json" }, `[{"Config":"c.json","RepoTags":[],"Layers":[]}]`)],
      [
        "corrupt",
        (tar) => void tar.entry({ name: "index.json" }, `{"manifests":[{"mediaType":"m","digest":"sha256:${hex}","size":1}]}`),
      ],
      ["corrupt", (tar) => void tar.entry({ name: "hello" }, "x")],
    ];
    for (const [index, [code, write]] of archives.entries()) {
      const file = path.join(dir.path, `${index}.tar`);
      const tar = pack();
      write(tar);
      tar.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of tar) chunks.push(chunk as Buffer);
      writeFileSync(file, Buffer.concat(chunks));
      await assert.rejects(loadArchive(store, file), (error) => {
        assert.ok(isTbuildError(error) && error.code === code, `${index}: ${(error as Error).stack}`);
        return true;
      });
    }
    const garbage = path.join(dir.path, "garbage");
    writeFileSync(garbage, Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(2000, 7)]));
    await assert.rejects(loadArchive(store, garbage), (error) => hasCode(error, "corrupt"));
    writeFileSync(garbage, Buffer.alloc(2000, 7));
    await assert.rejects(loadArchive(store, garbage), (error) => hasCode(error, "corrupt"));
    await assert.rejects(loadArchive(store, path.join(dir.path, "absent")), (error) => hasCode(error, "not_found"));
    assert.deepEqual(store.images.list(), []);
  });
});

test("createExporter() refuses what it does not know, with the closest name", async () => {
  const make = (type: string, attrs: Record<string, string>) => () => createExporter({ type, attrs } as ExportSpec, {} as never);
  const hint = (text: string) => (error: unknown) =>
    isTbuildError(error) && error.code === "invalid_argument" && error.hint === text;
  assert.throws(make("dokcer", {}), hint('Did you mean "docker"?'));
  assert.throws(make("oci", { dest: "x", nmae: "y" }), hint('Did you mean "name"?'));
  assert.throws(make("oci", {}), (error) => hasCode(error, "invalid_argument"));
  assert.throws(make("oci", { dest: "x", tar: "perhaps" }), (error) => hasCode(error, "invalid_argument"));
  assert.throws(make("image", { name: "UPPER" }), (error) => hasCode(error, "invalid_reference"));
  assert.throws(make("constructor", {}), (error) => hasCode(error, "invalid_argument"));
});

test("an export that fails leaves nothing at its destination", { skip }, async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    const output = await makeOutput(store);
    const dest = path.join(dir.path, "x.tar");
    const exporter = createExporter({ type: "oci", attrs: { dest } }, { store, shape: shapeOf(output) });
    await assert.rejects(
      exporter.export(output, { ...exportOpts(store), signal: AbortSignal.abort() }),
      (error) => hasCode(error, "cancelled"),
    );
    await assert.rejects(run(store, output, "oci", { dest: dir.path }), (error) => hasCode(error, "invalid_argument"));
    await assert.rejects(run(store, output, "oci", { dest: path.join("/etc/passwd", "x.tar") }), (error) => isTbuildError(error));
    assert.deepEqual(readdirSync(dir.path), []);
  });
});
