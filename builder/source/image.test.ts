import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { hasCode } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { parseReference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import { withStore } from "../../cache/testing/store.js";
import { makeImage, registryMissing, startRegistry, type TestRegistry } from "../../fixtures/registry.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { layerBlob } from "../image/blobs.js";
import { layersOf, snapshotLayer } from "../image/layers.js";
import { createRegistryClient, hasBlob } from "../registry/client.js";
import { createRemoteImages } from "../registry/resolve.js";
import { createImageSource, refetchBlob } from "./image.js";
import { createImageResolver, type ImagePolicy } from "./imageStore.js";

const amd64 = parsePlatform("linux/amd64");

function recorder(): { opts: StepOpts; statuses: Set<string> } {
  const statuses = new Set<string>();
  const report = { log() {}, warn() {}, statusDone() {}, status: (id: string) => void statuses.add(id) };
  return { opts: { signal: new AbortController().signal, report }, statuses };
}

describe("docker-image://", { skip: registryMissing() }, () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry();
    const layout = path.join(registry.dir, "layout");
    makeImage(layout, "v1", [{ "etc/base": "base", gone: "x" }, { "etc/top": "top" }], { config: { Env: ["A=b"] } });
    registry.push(`oci:${layout}:v1`, "app:v1");
  });
  after(() => registry?.[Symbol.asyncDispose]());

  const setUp = (store: Store, policy: ImagePolicy = "local-first") => {
    const client = createRegistryClient({ registries: new Map(), credentials: { get: async () => null } });
    const lookup = { store, remote: createRemoteImages(client, store.content), policy };
    const source = createImageSource({ ...lookup, client });
    const resolve = (name: string, opts: StepOpts) => source.resolve(
      { identifier: `docker-image://${name}`, attrs: {}, platform: amd64 },
      opts,
    );
    return { client, source, resolve, resolver: createImageResolver(lookup), remote: lookup.remote };
  };

  test("an image may be limited to its lowest layers, and has to be the one that is meant", async () => {
    await withStore(async (store) => {
      const { client, source, remote } = setUp(store);
      using _ = client;
      const { opts } = recorder();
      const name = `${registry.host}/app:v1`;
      const resolve = (attrs: Readonly<Record<string, string>>) => source.resolve({ identifier: `docker-image://${name}`, attrs, platform: amd64 }, opts);
      const limited = await resolve({ "image.layerlimit": "1" });
      assert.notEqual(limited.pin, (await resolve({})).pin);
      const ref = await limited.snapshot(opts);
      assert.ok(ref.kind === "snapshot" && ref.name !== null);
      await using tree = await mountTree(await store.snapshots.view(ref.name));
      assert.deepEqual([existsSync(path.join(tree.path, "etc/base")), existsSync(path.join(tree.path, "etc/top"))], [true, false]);
      await assert.rejects(resolve({ "image.layerlimit": "0" }), (error) => hasCode(error, "invalid_argument"));
      const { root } = await remote.resolve(parseReference(name), amd64, opts);
      assert.equal((await resolve({ "image.checksum": root })).pin, (await resolve({})).pin);
      await assert.rejects(resolve({ "image.checksum": `sha256:${"0".repeat(64)}` }), (error) => hasCode(error, "digest_mismatch"));
    });
  });

  test("snapshot() pulls and unpacks the layers, and does neither a second time", async () => {
    await withStore(async (store) => {
      const { resolve, remote, client } = setUp(store);
      using _ = client;
      const { opts, statuses } = recorder();
      const name = `${registry.host}/app:v1`;
      const resolved = await resolve(name, opts);
      const [one, two] = await Promise.all([resolved.snapshot(opts), resolved.snapshot(opts)]);
      assert.deepEqual(one, two);
      assert.ok(one.kind === "snapshot" && one.name !== null);
      {
        await using tree = await mountTree(await store.snapshots.view(one.name));
        assert.equal(readFileSync(`${tree.path}/etc/base`, "utf8") + readFileSync(`${tree.path}/etc/top`, "utf8"), "basetop");
      }
      const { config, manifest } = await remote.resolve(parseReference(name), amd64);
      const layers = await layersOf(store, one.name, (name) => snapshotLayer(store, name));
      assert.deepEqual(layers.map(({ diffId }) => diffId), config.rootfs.diff_ids);
      assert.deepEqual(layers.map(({ blobs }) => blobs[0]?.digest), manifest.layers.map(({ digest }) => digest));
      assert.ok(manifest.layers.every(({ digest }) => statuses.has(digest) && statuses.has(`extracting ${digest}`)));
      for (const { digest } of manifest.layers) await store.content.delete(digest);
      assert.equal(await hasBlob(store.content, manifest.layers[1]!), false);
      const fetched = await layerBlob(store, layers[0]!, { refetch: (blob) => refetchBlob(client, store, blob) });
      assert.equal(fetched.digest, manifest.layers[0]!.digest);
      const again = recorder();
      assert.deepEqual(await (await resolve(name, again.opts)).snapshot(again.opts), one);
      assert.deepEqual([...again.statuses], []);
    });
  });

  test("snapshot() refuses a layer that is not what the config says, and leaves nothing behind", async () => {
    await withStore(async (store) => {
      const { client, remote } = setUp(store);
      using _ = client;
      const image = await remote.resolve(parseReference(`${registry.host}/app:v1`), amd64);
      const diff_ids = [...image.config.rootfs.diff_ids].reverse();
      const swapped = { ...image, config: { ...image.config, rootfs: { ...image.config.rootfs, diff_ids } } };
      const source = createImageSource({ store, client, policy: "local-first", remote: { resolve: async () => swapped } });
      const { opts } = recorder();
      const resolved = await source.resolve(
        { identifier: `docker-image://${registry.host}/app:v1`, attrs: {}, platform: amd64 },
        opts,
      );
      await assert.rejects(resolved.snapshot(opts), (error) => hasCode(error, "corrupt"));
      const left = [];
      for await (const info of store.snapshots.walk()) left.push(info.name);
      assert.deepEqual(left, []);
    });
  });

  test("a name in the image store comes before the registry, unless it is to be pulled", async () => {
    await withStore(async (store) => {
      const { opts } = recorder();
      const name = `${registry.host}/app:v1`;
      const first = setUp(store);
      const pulled = await (await first.resolve(name, opts)).snapshot(opts);
      const { manifest, config } = await first.remote.resolve(parseReference(name), amd64);
      const layers = (await layersOf(store, pulled.kind === "snapshot" ? pulled.name : null, (name) => snapshotLayer(store, name))).map(
        ({ snapshot, diffId }) => ({ snapshot, diffId }),
      );
      await store.images.put("local.invalid/mine", [{ platform: amd64, config: manifest.config.digest, layers }]);
      const stored = await first.resolver("local.invalid/mine", amd64);
      assert.deepEqual(stored, { reference: "local.invalid/mine:latest", digest: null, config });
      assert.deepEqual(await (await first.resolve("local.invalid/mine", opts)).snapshot(opts), pulled);
      const pulling = setUp(store, "pull");
      await assert.rejects(pulling.resolver("127.0.0.1:1/mine", amd64), (error) => hasCode(error, "unavailable"));
      assert.equal((await pulling.resolver(name, amd64)).digest !== null, true);
      first.client[Symbol.dispose]();
      pulling.client[Symbol.dispose]();
    });
  });
});
