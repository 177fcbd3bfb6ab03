import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { withStore } from "../../cache/testing/store.js";
import { clientBlobs } from "../../fixtures/clientBlobs.js";
import { makeImage, registryMissing, startFaultyServer, startRegistry, type TestRegistry } from "../../fixtures/registry.js";
import { withGraphs } from "../../fixtures/testGraph.js";
import { withSession } from "../../fixtures/testSession.js";
import { source } from "../../solver/llb/state.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { clientLayouts } from "../daemon/client/clientLayouts.js";
import { openTree } from "../ops/trees.js";
import { createRegistryClient, hasBlob } from "../registry/client.js";
import { createBlobSource } from "./blob.js";
import { layoutDirectories, type Layouts } from "./ociLayout.js";

const quiet = () => {};
const opts: StepOpts = { signal: new AbortController().signal, report: { log: quiet, warn: quiet, status: quiet, statusDone: quiet } };

async function withSource(
  layouts: Layouts,
  body: (resolve: (identifier: string, attrs?: Readonly<Record<string, string>>) => ReturnType<ReturnType<typeof createBlobSource>["resolve"]>, store: Store) => Promise<void>,
): Promise<void> {
  using client = createRegistryClient({ registries: new Map(), credentials: { get: async () => null } });
  await withStore(async (store) => {
    const blobs = createBlobSource({ store, client, layouts });
    await body((identifier, attrs = {}) => blobs.resolve({ identifier, attrs, platform: null }, opts), store);
  });
}

const hexOf = (digest: string) => digest.slice("sha256:".length);

describe("docker-image+blob://", { skip: registryMissing() }, () => {
  let registry: TestRegistry;
  let digest: string;
  let bytes: Buffer;
  before(async () => {
    registry = await startRegistry();
    const layout = path.join(registry.dir, "layout");
    makeImage(layout, "v1", [{ "etc/base": "base" }]);
    registry.push(`oci:${layout}:v1`, "app:v1");
    const names = readdirSync(path.join(layout, "blobs", "sha256"));
    const name = names.find((one) => readFileSync(path.join(layout, "blobs", "sha256", one))[0] === 0x1f)!;
    digest = `sha256:${name}`;
    bytes = readFileSync(path.join(layout, "blobs", "sha256", name));
  });
  after(() => registry?.[Symbol.asyncDispose]());

  test("a blob of a registry is a file alone in its tree, with its name, owner and mode", async () => {
    const attrs = { "http.filename": "layer.tar.gz", "http.uid": "123", "http.gid": "456", "http.perm": "0640" };
    await withGraphs(async (graphs) => {
      const read = (more: Readonly<Record<string, string>>) => graphs.read(source(`docker-image+blob://${registry.host}/app@${digest}`, more), (root) => readdirSync(root).map((name) => {
        const { mode, uid, gid, mtimeMs } = lstatSync(path.join(root, name));
        assert.deepEqual(readFileSync(path.join(root, name)), bytes);
        return [name, mode & 0o7777, uid, gid, mtimeMs];
      }));
      assert.deepEqual(await read(attrs), [["layer.tar.gz", 0o640, 123, 456, 0]]);
      assert.deepEqual(await read({}), [[hexOf(digest), 0o600, 0, 0, 0]]);
    });
  });

  test("a manifest is a file as well", async () => {
    const [manifest] = (JSON.parse(readFileSync(path.join(registry.dir, "layout", "index.json"), "utf8")) as { readonly manifests: readonly { readonly digest: string }[] }).manifests;
    await withSource(layoutDirectories, async (resolve, store) => {
      const blob = await resolve(`docker-image+blob://${registry.host}/app@${manifest!.digest}`, { "http.filename": "m" });
      await using tree = await openTree(store, await blob.snapshot(opts));
      assert.equal(digestOf(readFileSync(path.join(tree.path, "m"))), manifest!.digest);
    });
  });

  test("a blob that the registry does not have, and one without a digest, are refused", async () => {
    await withSource(layoutDirectories, async (resolve) => {
      const missing = await resolve(`docker-image+blob://${registry.host}/app@${digestOf("none")}`);
      await assert.rejects(missing.snapshot(opts), (error) => hasCode(error, "not_found"));
      await assert.rejects(resolve(`docker-image+blob://${registry.host}/app:v1`), (error) => hasCode(error, "invalid_reference"));
    });
  });
});

test("a registry that has other bytes, more or fewer than it says is not believed", async () => {
  const wanted = Buffer.from("what is wanted");
  const digest = digestOf(wanted);
  const lies: readonly (readonly [Buffer, number | null, string])[] = [
    [Buffer.from("what is hated!"), wanted.length, "digest_mismatch"],
    [Buffer.concat([wanted, wanted]), wanted.length, "corrupt"],
    [wanted.subarray(1), wanted.length, "corrupt"],
    [Buffer.concat([wanted, wanted]), wanted.length * 2, "digest_mismatch"],
    [wanted, null, "corrupt"],
  ];
  for (const [body, says, code] of lies) {
    await using server = await startFaultyServer(({ method }, response) => {
      if (method !== "HEAD") return void response.end(body);
      response.writeHead(200, says === null ? {} : { "content-length": String(says) }).end();
    });
    await withSource(layoutDirectories, async (resolve, store) => {
      const blob = await resolve(`docker-image+blob://${server.host}/app@${digest}`);
      await assert.rejects(blob.snapshot(opts), (error) => hasCode(error, code as never), code);
      assert.equal(await hasBlob(store.content, { digest }), false);
    });
  }
});

test("oci-layout+blob:// reads a client's layout, of the session that is named", async () => {
  const bytes = Buffer.alloc(2_500_000, "abc");
  const { offers, stores } = clientBlobs([bytes]);
  const asked: string[] = [];
  await withSession(offers, async (session) => {
    const layouts = clientLayouts(async (id) => {
      asked.push(id);
      return session;
    });
    await withSource(layouts, async (resolve, store) => {
      const identifier = `oci-layout+blob://not/real@${digestOf(bytes)}`;
      const blob = await resolve(identifier, { "oci.store": "some", "oci.session": "another", "http.filename": "../up/bundle" });
      assert.deepEqual(asked, []);
      await using tree = await openTree(store, await blob.snapshot(opts));
      assert.deepEqual(readdirSync(tree.path), ["bundle"]);
      assert.deepEqual(readFileSync(path.join(tree.path, "bundle")), bytes);
      const missing = await resolve(`oci-layout+blob://not/real@${digestOf("none")}`, { "oci.store": "some" });
      await assert.rejects(missing.snapshot(opts), (error) => hasCode(error, "not_found"));
      assert.deepEqual(asked, ["another", ""]);
    });
  });
  assert.deepEqual([...stores], ["oci:some"]);
});

test("oci-layout+blob:// refuses a client's other bytes, and wants to know in which layout", async () => {
  const bytes = Buffer.from("something");
  const { offers } = clientBlobs([bytes], (given) => Buffer.from(given).fill(0));
  await withSession(offers, async (session) => withSource(clientLayouts(async () => session), async (resolve) => {
    const identifier = `oci-layout+blob://not/real@${digestOf(bytes)}`;
    const blob = await resolve(identifier, { "oci.store": "some" });
    await assert.rejects(blob.snapshot(opts), (error) => hasCode(error, "digest_mismatch"));
    await assert.rejects(resolve(identifier), (error) => hasCode(error, "invalid_argument"));
  }));
});

test("oci-layout+blob:// reads a directory of this machine", async () => {
  await withStore(async (other) => {
    const dir = path.join(path.dirname(other.content.pathOf(digestOf("x"))), "layout");
    makeImage(dir, "v1", [{ f: "x" }]);
    const names = readdirSync(path.join(dir, "blobs", "sha256"));
    await withSource(layoutDirectories, async (resolve, store) => {
      for (const name of names) {
        const blob = await resolve(`oci-layout+blob://any@sha256:${name}`, { "oci.store": dir });
        await using tree = await openTree(store, await blob.snapshot(opts));
        assert.deepEqual(readFileSync(path.join(tree.path, name)), readFileSync(path.join(dir, "blobs", "sha256", name)));
      }
    });
  });
});
