import { cancelled } from "../errors.js";
import { type Digest, digestOf } from "../oci/digest.js";
import { blobNotFound, ingestHeld } from "./errors.js";
import type { BlobInfo, ContentStore, Ingest } from "./store.js";
import { verifiedDescriptor } from "./verify.js";

interface Blob {
  readonly info: BlobInfo;
  readonly bytes: Uint8Array;
}

/** A content store in this process's memory, for tests and small blobs. */
export function memoryContentStore(): ContentStore {
  const blobs = new Map<Digest, Blob>();
  const held = new Set<string>();

  const find = (digest: Digest): Blob => {
    const blob = blobs.get(digest);
    if (blob === undefined) throw blobNotFound(digest);
    return blob;
  };

  return {
    info: async (digest) => find(digest).info,
    async *read(digest, { offset = 0 } = {}) {
      yield find(digest).bytes.subarray(offset);
    },
    async ingest(ref, { signal } = {}) {
      if (signal?.aborted) throw cancelled(signal);
      if (held.has(ref)) throw ingestHeld(ref);
      held.add(ref);
      return memoryIngest(blobs, () => held.delete(ref));
    },
    async *walk() {
      for (const { info } of blobs.values()) yield info;
    },
    delete: async (digest) => void blobs.delete(digest),
  };
}

function memoryIngest(blobs: Map<Digest, Blob>, release: () => void): Ingest {
  const chunks: Uint8Array[] = [];
  return {
    get size() {
      return chunks.reduce((sum, { length }) => sum + length, 0);
    },
    write: async (chunk) => void chunks.push(Uint8Array.from(chunk)),
    async commit(expected) {
      const bytes = Buffer.concat(chunks);
      const descriptor = verifiedDescriptor(digestOf(bytes), bytes.length, expected);
      const { digest, size } = descriptor;
      if (!blobs.has(digest)) blobs.set(digest, { info: { digest, size, createdAt: Date.now() }, bytes });
      release();
      return descriptor;
    },
    [Symbol.asyncDispose]: async () => release(),
  };
}
