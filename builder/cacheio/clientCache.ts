import type { FileContentStore } from "../../cache/content/store.js";
import { hasCode } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { descriptor } from "../image/canonical.js";
import type { RegistryClient } from "../registry/client.js";
import type { ClientContent } from "../session/content.js";
import { createClientLayout } from "../session/layoutClient.js";
import type { CacheSource, CacheTarget } from "./backend.js";
import { cacheDocuments, type CacheForm } from "./cacheManifest.js";
import { readRegistryCache } from "./readCache.js";

/** A directory of a client's, whose index the client itself reads and writes. */
export interface ClientCacheAccess {
  /** As the client calls it. */
  readonly dir: string;
  readonly open: () => ClientContent;
  readonly content: FileContentStore;
}

/** What `sourceAnnotation` says of blobs of a client's directory. */
export function clientOrigin(dir: string): string {
  return `client-cache:${dir}`;
}

/** `type=local,src=…,digest=…` of a client. */
export function clientSource({ dir, open, content }: ClientCacheAccess, digest: Digest): CacheSource {
  return {
    name: `local:${dir}`,
    async read(opts) {
      const { caches } = await readRegistryCache({ client: clientBlobs(open()), content }, at(digest), dir, opts);
      return caches.map((cache) => ({ cache, origin: clientOrigin(dir) }));
    },
  };
}

function at(digest: Digest): Reference {
  return { registry: "localhost", repository: "layout/cache", tag: null, digest };
}

/** A client's directory as {@link clientSource} reads its layers. */
export function clientBlobs(content: ClientContent): RegistryClient {
  return createClientLayout(content);
}

/** `type=local,dest=…` of a client. What its directory had is not known here: the client's index names what we have written. */
export function clientTarget({ dir, open, content }: ClientCacheAccess, form: CacheForm): CacheTarget {
  return {
    step: "exporting cache to client directory",
    name: dir,
    fetch: (blob, opts) => clientBlobs(open()).fetchBlob(at(blob.digest), blob, content, opts),
    read: async () => null,
    async write(cache, _state, blobs, opts) {
      const client = open();
      const { manifest, config } = cacheDocuments(cache, form);
      for (const [digest, blob] of blobs) {
        if (await hasClientBlob(client, digest, opts)) continue;
        await blob.fetch();
        await client.write(blob.descriptor, content.read(digest, opts), opts);
      }
      for (const { bytes, descriptor: own } of [config, manifest]) await client.write(own, once(bytes), opts);
      return { metadata: { "cache.manifest": JSON.stringify(descriptor(manifest.descriptor)) } };
    },
  };
}

async function hasClientBlob(client: ClientContent, digest: Digest, opts: StepOpts): Promise<boolean> {
  try {
    await client.size(digest, opts);
    return true;
  } catch (error) {
    if (hasCode(error, "cancelled")) throw error;
    return false;
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
