import { randomUUID } from "node:crypto";
import type { ContentStore, Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import type { FetchOpts, RegistryClient } from "../registry/client.js";
import { hasBlob } from "../registry/client.js";
import { manifestLimit } from "../registry/manifest.js";
import type { ClientContent } from "./content.js";

/**
 * A content store of the client's as if it were a registry with one repository, so that images come from it by the same
 * steps. Only digests mean something there. Every byte is checked.
 */
export function createClientLayout(content: ClientContent): RegistryClient {
  return {
    head: async () => null,
    async manifest({ digest, tag }, opts = {}) {
      if (digest === null) throw new TbuildError("invalid_reference", `Cannot read "${tag ?? "latest"}" of a client's image layout: name its digest`);
      const bytes = await readVerified(content, digest, opts);
      return { descriptor: { mediaType: "", digest, size: bytes.length }, bytes };
    },
    blobSize: (_reference, digest, opts = {}) => content.size(digest, opts),
    fetchBlob: async (_reference, descriptor, store, opts = {}) => copyBlob(content, descriptor, store, opts),
    [Symbol.dispose]: () => {},
  };
}

async function readVerified(content: ClientContent, digest: Digest, opts: Opts): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content.read(digest, opts)) {
    size += chunk.length;
    if (size > manifestLimit) throw new TbuildError("corrupt", `Cannot read blob ${digest} of the client: larger than ${manifestLimit} bytes`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) === digest) return bytes;
  throw new TbuildError("digest_mismatch", `Cannot use blob ${digest} of the client: its digest is ${digestOf(bytes)}`);
}

async function copyBlob(
  content: ClientContent,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  store: ContentStore,
  { onProgress, ...opts }: FetchOpts,
): Promise<void> {
  if (await hasBlob(store, { digest })) return;
  await using ingest = await store.ingest(`client-${digest.replace(":", "-")}-${randomUUID()}`, opts);
  let come = 0;
  for await (const chunk of content.read(digest, opts)) {
    await ingest.write(chunk);
    onProgress?.((come += chunk.length));
    if (come > size) throw new TbuildError("digest_mismatch", `Cannot use blob ${digest} of the client: it has more than ${size} bytes`);
  }
  await ingest.commit({ digest, size });
}
