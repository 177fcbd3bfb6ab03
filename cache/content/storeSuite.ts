import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../errors.js";
import { type Digest, digestOf } from "../oci/digest.js";
import type { BlobInfo, ContentStore } from "./store.js";

/** Gives `body` an empty store and cleans up after it. */
export type WithContentStore = (body: (store: ContentStore) => Promise<void>) => Promise<void>;

/** What every {@link ContentStore} does; registers one test each. */
export function contentStoreSuite(name: string, withStore: WithContentStore): void {
  const check = (title: string, body: (store: ContentStore) => Promise<void>) =>
    test(`${name}: ${title}`, () => withStore(body));

  check("commit() makes exactly the written bytes readable", async (store) => {
    const data = Buffer.from("hello world");
    await using ingest = await store.ingest("a");
    await ingest.write(data.subarray(0, 5));
    await ingest.write(data.subarray(5));
    const descriptor = await ingest.commit({ digest: digestOf(data), size: data.length });
    assert.deepEqual(descriptor, { mediaType: "application/octet-stream", digest: digestOf(data), size: 11 });
    assert.equal(String(await bytesOf(store, descriptor.digest)), "hello world");
    assert.equal(String(await bytesOf(store, descriptor.digest, 6)), "world");
    assert.equal((await store.info(descriptor.digest)).size, 11);
  });

  check("an empty blob is a blob", async (store) => {
    const digest = await put(store, "empty", "");
    assert.equal((await store.info(digest)).size, 0);
    assert.equal((await bytesOf(store, digest)).length, 0);
  });

  check("a blob is invisible before its commit", async (store) => {
    await using ingest = await store.ingest("a");
    await ingest.write(Buffer.from("x"));
    await assert.rejects(store.info(digestOf("x")), (error) => hasCode(error, "not_found"));
    assert.deepEqual(await walked(store), []);
  });

  check("disposing without commit leaves nothing and frees the ref", async (store) => {
    {
      await using ingest = await store.ingest("a");
      await ingest.write(Buffer.from("x"));
    }
    await put(store, "a", "y");
    assert.deepEqual(await walked(store), [digestOf("y")]);
  });

  check("a second ingest of a held ref is unavailable", async (store) => {
    await using _held = await store.ingest("a");
    await using _other = await store.ingest("b");
    await assert.rejects(store.ingest("a"), (error) => hasCode(error, "unavailable"));
  });

  check("commit() frees the ref before disposal", async (store) => {
    await using ingest = await store.ingest("a");
    await ingest.commit();
    await using _next = await store.ingest("a");
  });

  for (const expected of [{ digest: digestOf("other") }, { size: 2 }]) {
    check(`commit() refuses a wrong ${Object.keys(expected)[0]} and keeps nothing`, async (store) => {
      {
        await using ingest = await store.ingest("a");
        await ingest.write(Buffer.from("x"));
        await assert.rejects(ingest.commit(expected), (error) => hasCode(error, "digest_mismatch"));
      }
      assert.deepEqual(await walked(store), []);
    });
  }

  check("committing a blob that is there already succeeds", async (store) => {
    assert.equal(await put(store, "a", "same"), await put(store, "b", "same"));
    assert.equal((await walked(store)).length, 1);
  });

  check("read() and info() of an absent blob are not_found, delete() succeeds", async (store) => {
    const absent = digestOf("absent");
    await assert.rejects(store.info(absent), (error) => hasCode(error, "not_found"));
    await assert.rejects(bytesOf(store, absent), (error) => hasCode(error, "not_found"));
    await store.delete(absent);
  });

  check("delete() removes a blob", async (store) => {
    const digest = await put(store, "a", "x");
    await store.delete(digest);
    await assert.rejects(store.info(digest), (error) => hasCode(error, "not_found"));
  });

  check("refs may be any text", async (store) => {
    for (const ref of ["../../etc/passwd", "a/b:c@sha256:d", "\0", "x".repeat(5000), ""]) await put(store, ref, ref);
    assert.equal((await walked(store)).length, 5);
  });
}

async function put(store: ContentStore, ref: string, text: string): Promise<Digest> {
  await using ingest = await store.ingest(ref);
  await ingest.write(Buffer.from(text));
  return (await ingest.commit()).digest;
}

async function bytesOf(store: ContentStore, digest: Digest, offset = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(digest, { offset })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function walked(store: ContentStore): Promise<Digest[]> {
  const infos: BlobInfo[] = [];
  for await (const info of store.walk()) infos.push(info);
  return infos.map(({ digest }) => digest);
}
