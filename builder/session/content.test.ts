import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { memoryContentStore } from "../../cache/content/memoryStore.js";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { clientBlobs } from "../../fixtures/clientBlobs.js";
import { withSession } from "../../fixtures/testSession.js";
import { clientContent } from "./content.js";
import { createClientLayout } from "./layoutClient.js";

async function* chunks(...list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}

test("clientContent() reads blobs of the store that is meant", async () => {
  const bytes = Buffer.alloc(2_500_000, "abc");
  const { offers, stores } = clientBlobs([bytes]);
  await withSession(offers, async (session) => {
    const content = clientContent(session, "oci:x");
    assert.equal(await content.size(digestOf(bytes), {}), bytes.length);
    const got: Uint8Array[] = [];
    for await (const chunk of content.read(digestOf(bytes), { offset: 2_000_000 })) got.push(chunk);
    assert.deepEqual(Buffer.concat(got), bytes.subarray(2_000_000));
    await assert.rejects(content.size(digestOf("none"), {}), (error) => hasCode(error, "not_found"));
    await assert.rejects(content.read(digestOf("none"), {})[Symbol.asyncIterator]().next(), (error) => hasCode(error, "not_found"));
  });
  assert.deepEqual([...stores], ["oci:x"]);
});

test("clientContent() writes a blob, and none that is there", async () => {
  const bytes = Buffer.alloc(7_000_000, "xyz");
  const { offers, blobs, aborted } = clientBlobs();
  await withSession(offers, async (session) => {
    const content = clientContent(session, "export");
    const blob = { digest: digestOf(bytes), size: bytes.length };
    await content.write(blob, chunks(bytes.subarray(0, 5), bytes.subarray(5)), {});
    assert.deepEqual(blobs.get(blob.digest), bytes);
    await content.write(blob, chunks(bytes), {});
    await content.write({ digest: digestOf(""), size: 0 }, chunks(), {});
    assert.equal(blobs.size, 2);
    assert.deepEqual(aborted, []);
  });
});

test("clientContent() gives up a write that went wrong", async () => {
  const { offers, blobs, aborted } = clientBlobs();
  await withSession(offers, async (session) => {
    const blob = { digest: digestOf("right"), size: 5 };
    await assert.rejects(clientContent(session, "export").write(blob, chunks(Buffer.from("wrong")), {}), (error) => hasCode(error, "unavailable"));
    assert.equal(blobs.size, 0);
    assert.equal(aborted.length, 1);
  });
});

const referenceOf = (digest: Digest | null) => ({ registry: "x", repository: "y", tag: null, digest });

test("createClientLayout() gives manifests and blobs, all of them checked", async () => {
  const manifest = Buffer.from('{"schemaVersion":2}');
  const layer = Buffer.alloc(3_000_000, 1);
  const { offers } = clientBlobs([manifest, layer]);
  await withSession(offers, async (session) => {
    const client = createClientLayout(clientContent(session, "oci:x"));
    assert.deepEqual(Buffer.from((await client.manifest(referenceOf(digestOf(manifest)))).bytes), manifest);
    await assert.rejects(client.manifest(referenceOf(null)), (error) => hasCode(error, "invalid_reference"));
    const content = memoryContentStore();
    const descriptor = { mediaType: "", digest: digestOf(layer), size: layer.length };
    await client.fetchBlob(referenceOf(null), descriptor, content);
    assert.equal((await content.info(descriptor.digest)).size, layer.length);
  });
});

test("createClientLayout() refuses bytes that are not those of the digest", async () => {
  const bytes = Buffer.from("something");
  for (const change of [(b: Buffer) => Buffer.concat([b, b]), (b: Buffer) => b.subarray(1), (b: Buffer) => Buffer.from(b).fill(0)]) {
    const { offers } = clientBlobs([bytes], change);
    await withSession(offers, async (session) => {
      const client = createClientLayout(clientContent(session, "oci:x"));
      const descriptor = { mediaType: "", digest: digestOf(bytes), size: bytes.length };
      await assert.rejects(client.manifest(referenceOf(descriptor.digest)), (error) => hasCode(error, "digest_mismatch"));
      await assert.rejects(client.fetchBlob(referenceOf(null), descriptor, memoryContentStore()), (error) => hasCode(error, "digest_mismatch"));
    });
  }
});
