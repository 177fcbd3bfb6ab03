import { digestOf } from "../../cache/oci/digest.js";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { memoryContentStore } from "../../cache/content/memoryStore.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { parseReference } from "../../cache/oci/reference.js";
import { makeImage, makeIndex, registryMissing, startRegistry, type TestRegistry } from "../../fixtures/registry.js";
import type { RegistryConfig } from "../config.js";
import { createRegistryClient } from "./client.js";
import { dockerCredentials } from "./credentials.js";
import { chooseManifest, createRemoteImages } from "./resolve.js";

const plain: RegistryConfig = { mirrors: [], http: undefined, insecure: false, ca: [], keypairs: [], tlsConfigDirs: [] };
const amd64 = parsePlatform("linux/amd64");
const arm64 = parsePlatform("linux/arm64");
const login = { username: "ann", password: "s3cret" };

describe("a real registry", { skip: registryMissing() }, () => {
  let open: TestRegistry;
  let closed: TestRegistry;
  let secure: TestRegistry;
  before(async () => {
    [open, closed, secure] = await Promise.all([startRegistry(), startRegistry({ login }), startRegistry({ tls: true })]);
    const layout = path.join(open.dir, "layout");
    makeImage(layout, "amd", [{ a: "1" }, { b: "2" }]);
    makeImage(layout, "arm", [{ a: "arm" }], { platform: arm64 });
    makeIndex(layout, "multi", [{ tag: "amd", platform: amd64 }, { tag: "arm", platform: arm64 }]);
    for (const registry of [open, closed, secure]) registry.push(`oci:${layout}:amd`, "team/app:v1");
    open.push(`oci:${layout}:multi`, "team/app:multi");
  });
  after(async () => {
    for (const registry of [open, closed, secure]) await registry?.[Symbol.asyncDispose]();
  });

  const anonymous = { get: async () => null };
  const resolver = (
    registries: ReadonlyMap<string,
    RegistryConfig> = new Map(),
    credentials = anonymous as ReturnType<typeof dockerCredentials>,
  ) => {
    const content = memoryContentStore();
    const client = createRegistryClient({ registries, credentials });
    return { content, client, images: createRemoteImages(client, content) };
  };

  test("resolve() reads manifest and config anonymously, over plain HTTP on this machine", async () => {
    const { images, client, content } = resolver();
    using _ = client;
    const image = await images.resolve(parseReference(`${open.host}/team/app:v1`), amd64);
    assert.equal(image.manifest.layers.length, 2);
    assert.equal(image.config.architecture, "amd64");
    const [layer] = image.manifest.layers;
    let seen = 0;
    await client.fetchBlob(image.reference, layer!, content, { onProgress: (bytes) => (seen = bytes) });
    assert.equal(seen, layer!.size);
    assert.equal((await content.info(layer!.digest)).size, layer!.size);
  });

  test("resolve() chooses the manifest of the platform and names what there is instead", async () => {
    const { images, client } = resolver();
    using _ = client;
    const reference = parseReference(`${open.host}/team/app:multi`);
    const [one, two] = await Promise.all([images.resolve(reference, amd64), images.resolve(reference, arm64)]);
    assert.equal(one.root, two.root);
    assert.notEqual(one.digest, two.digest);
    assert.equal(two.config.architecture, "arm64");
    await assert.rejects(images.resolve(reference, parsePlatform("linux/s390x")), (error) => {
      assert.ok(isTbuildError(error) && error.code === "not_found");
      assert.equal(error.hint, "It has linux/amd64, linux/arm64");
      return true;
    });
  });

  test("resolve() of a digest asks nobody the second time", async () => {
    const { images, client, content } = resolver();
    const reference = parseReference(`${open.host}/team/app:v1`);
    const { root } = await images.resolve(reference, amd64);
    client[Symbol.dispose]();
    const nowhere = { ...parseReference(`127.0.0.1:1/team/app`), digest: root };
    const again = createRemoteImages(createRegistryClient({ registries: new Map(), credentials: anonymous }), content);
    assert.equal((await again.resolve(nowhere, amd64)).digest, root);
  });

  test("resolve() says that a tag does not exist", async () => {
    const { images, client } = resolver();
    using _ = client;
    await assert.rejects(images.resolve(parseReference(`${open.host}/team/app:v9`), amd64), (error) => {
      assert.ok(isTbuildError(error) && error.code === "not_found");
      assert.ok(error.message.includes(`${open.host}/team/app:v9`), error.message);
      return true;
    });
  });

  test("resolve() logs in with config.json and never tells the password", async () => {
    const dir = path.join(closed.dir, "docker");
    const reference = parseReference(`${closed.host}/team/app:v1`);
    const withPassword = (password: string) => {
      mkdirSync(dir, { recursive: true });
      const auth = Buffer.from(`${login.username}:${password}`).toString("base64");
      writeFileSync(path.join(dir, "config.json"), JSON.stringify({ auths: { [closed.host]: { auth } } }));
      return resolver(new Map(), dockerCredentials(dir));
    };
    const right = withPassword(login.password);
    assert.equal((await right.images.resolve(reference, amd64)).manifest.layers.length, 2);
    right.client[Symbol.dispose]();
    for (const wrong of [withPassword("wr0ng"), resolver()]) {
      await assert.rejects(wrong.images.resolve(reference, amd64), (error) => {
        assert.ok(isTbuildError(error) && error.code === "unauthorized", String(error));
        assert.ok(error.hint?.includes(`tbuild login ${closed.host}`));
        assert.ok(!JSON.stringify([error.message, error.hint, error.stack]).includes("wr0ng"));
        return true;
      });
      wrong.client[Symbol.dispose]();
    }
  });

  test("resolve() trusts the authority that the configuration names, and no other", async () => {
    const reference = parseReference(`${secure.host}/team/app:v1`);
    const trusted = resolver(new Map([[secure.host, { ...plain, ca: [secure.ca!] }]]));
    assert.equal((await trusted.images.resolve(reference, amd64)).config.os, "linux");
    trusted.client[Symbol.dispose]();
    const strict = resolver(new Map([[secure.host, { ...plain, http: false }]]));
    await assert.rejects(strict.images.resolve(reference, amd64), (error) => {
      assert.ok(isTbuildError(error) && error.code === "unavailable");
      assert.ok(error.hint?.includes("ca ="), String(error.hint));
      return true;
    });
    const insecure = resolver(new Map([[secure.host, { ...plain, http: false, insecure: true }]]));
    assert.equal((await insecure.images.resolve(reference, amd64)).config.os, "linux");
    insecure.client[Symbol.dispose]();
  });

  test("resolve() asks a mirror first, and the registry when the mirror has nothing", async () => {
    const { images, client } = resolver(new Map([[open.host, { ...plain, mirrors: [`${closed.host}`, "127.0.0.1:1/path"] }]]));
    using _ = client;
    assert.equal((await images.resolve(parseReference(`${open.host}/team/app:v1`), amd64)).manifest.layers.length, 2);
    const mirrored = resolver(new Map([["registry.invalid", { ...plain, mirrors: [open.host] }]]));
    assert.equal(
      (await mirrored.images.resolve(parseReference("registry.invalid/team/app:v1"), amd64)).manifest.layers.length,
      2,
    );
    mirrored.client[Symbol.dispose]();
  });

  test("resolve() stops when its signal is aborted", async () => {
    const { images, client } = resolver();
    using _ = client;
    const aborted = images.resolve(parseReference(`${open.host}/team/app:v1`), amd64, { signal: AbortSignal.abort() });
    await assert.rejects(aborted, (error) => hasCode(error, "cancelled"));
  });
});

test("chooseManifest() takes the closest variant, and an unnamed one only when nothing fits", () => {
  const entry = (
    name: string,
    platform?: object,
  ) => ({ mediaType: name, digest: digestOf(name), size: 1, ...(platform ? { platform } : {}) });
  const arm = (variant: string) => entry(variant, { os: "linux", architecture: "arm", variant });
  const unknown = entry("attestation", { os: "unknown", architecture: "unknown" });
  const choose = (want: string, ...manifests: object[]) =>
    chooseManifest({ schemaVersion: 2, manifests } as never, parsePlatform(want))?.mediaType ?? null;
  assert.equal(choose("linux/arm/v7", arm("v5"), arm("v6"), unknown), "v6");
  assert.equal(choose("linux/arm/v6", arm("v7")), null);
  assert.equal(choose("linux/amd64", entry("nested"), unknown), "nested");
  assert.equal(choose("linux/amd64", entry("nested"), entry("exact", { os: "linux", architecture: "amd64" })), "exact");
  assert.equal(choose("linux/amd64", unknown), null);
});
