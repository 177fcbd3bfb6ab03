import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { duplexPair } from "node:stream";
import { after, test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { digestOf, hexOf } from "../../../cache/oci/digest.js";
import { openStore } from "../../../cache/store.js";
import { tempDir } from "../../../cache/testing/tempDir.js";
import { type ClientContent, clientContent } from "../../session/content.js";
import { openSession } from "../../session/session.js";
import { layoutReader } from "../layoutReader.js";
import { takenBlobs } from "../takenBlobs.js";
import { contentOffers } from "./contentStores.js";
import { serveSession } from "./serveSession.js";

const dir = await tempDir();
const store = await openStore({ root: path.join(dir.path, "store") });
after(async () => {
  await store[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});
const layout = path.join(dir.path, "layout");
const large = Buffer.alloc(5_000_000, "tbuild");
mkdirSync(path.join(layout, "blobs/sha256"), { recursive: true });
writeFileSync(path.join(layout, "blobs/sha256", hexOf(digestOf(large))), large);
writeFileSync(path.join(layout, "private"), "private");

const taken = takenBlobs(store);
const offers = contentOffers({ readers: new Map([["oci:one", layoutReader(layout)]]), writers: new Map([["export", taken.writer]]) });
const methods = new Set(Object.keys(offers).map((name) => name.toLowerCase()));
const health = { intervalMs: 3_600_000, timeoutMs: 1, failures: 1 };

async function withStore(id: string, body: (content: ClientContent) => Promise<void>): Promise<void> {
  const [near, far] = duplexPair();
  using _ = serveSession(near, offers);
  const session = openSession(far, { id: "one", name: "", sharedKey: "", methods, health });
  try {
    await body(clientContent(session, id));
  } finally {
    session.close();
  }
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test("contentOffers() gives blobs of the layout that is named, whole and in part", async () => {
  await withStore("oci:one", async (content) => {
    assert.equal(await content.size(digestOf(large), {}), large.length);
    assert.ok((await all(content.read(digestOf(large), {}))).equals(large));
    assert.equal((await all(content.read(digestOf(large), { offset: large.length - 3 }))).length, 3);
    await assert.rejects(content.size(digestOf("private"), {}), (error) => hasCode(error, "not_found"));
    await assert.rejects(content.size("sha256:../../private" as never, {}), (error) => hasCode(error, "invalid_argument"));
  });
  for (const id of ["oci:two", "export", "local:/etc"]) {
    await withStore(id, async (content) => {
      await assert.rejects(content.size(digestOf(large), {}), (error) => hasCode(error, "not_found"));
    });
  }
});

test("contentOffers() takes blobs that are what they are called, and says which are there", async () => {
  const [config, other] = [Buffer.from("{}"), Buffer.from("other")];
  await withStore("export", async (content) => {
    await content.write({ digest: digestOf(config), size: config.length }, chunksOf(config), {});
    await content.write({ digest: digestOf(config), size: config.length }, chunksOf(other), {});
    assert.equal((await store.content.info(digestOf(config))).size, config.length);
    await assert.rejects(content.write({ digest: digestOf("x"), size: other.length }, chunksOf(other), {}), (error) => hasCode(error, "corrupt"));
    await assert.rejects(store.content.info(digestOf("x")), (error) => hasCode(error, "not_found"));
  });
  await withStore("oci:one", async (content) => {
    await assert.rejects(content.write({ digest: digestOf(other), size: other.length }, chunksOf(other), {}), (error) => hasCode(error, "not_found"));
  });
});

test("takenBlobs() finds the image among what came", async () => {
  const manifest = (config: string): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: 2 }, layers: [] }));
  const [one, two] = [manifest("{}"), manifest("[]")];
  await assert.rejects(taken.root(), (error) => hasCode(error, "corrupt"));
  await withStore("export", async (content) => {
    await content.write({ digest: digestOf(one), size: one.length }, chunksOf(one), {});
    assert.equal((await taken.root()).digest, digestOf(one));
    await content.write({ digest: digestOf(two), size: two.length }, chunksOf(two), {});
    await assert.rejects(taken.root(), (error) => hasCode(error, "corrupt"));
  });
});
