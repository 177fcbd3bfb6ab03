import { TbuildError } from "../../cache/errors.js";
import type { FileContentStore } from "../../cache/content/store.js";
import { mediaTypes } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { CacheTarget } from "../cacheio/backend.js";
import { parseCacheConfig } from "../cacheio/cacheConfig.js";
import { cacheContents, type CacheDocuments } from "../cacheio/cacheManifest.js";
import { addToCache } from "../cacheio/exportCaches.js";
import { type LocalPlace, writeDocuments } from "../cacheio/localCache.js";
import type { MergeOptions } from "../cacheio/merge.js";
import { cacheLimit } from "../cacheio/readCache.js";
import type { SharedCache } from "../cacheio/sharedCache.js";
import { descriptor } from "../image/canonical.js";
import { hasBlob } from "../registry/client.js";
import { manifestLimit } from "../registry/manifest.js";
import type { PushBlob } from "../registry/pushBlob.js";
import { readBlob } from "../registry/resolve.js";
import { createLayoutClient } from "../source/layoutClient.js";
import { layoutReader } from "./layoutReader.js";
import type { ExportMetadata } from "./remoteOutputs.js";
import type { BlobReader, BlobWriter } from "./session/contentStores.js";
import { contentWriter, manifestIn } from "./takenBlobs.js";

/** A cache that a builder sends for a directory of this machine. The directory is touched when all of it has come. */
export interface SentCache {
  readonly reader: BlobReader;
  readonly writer: BlobWriter;
  /** Adds it to what `target`, which is the directory, has. Nothing when none was sent. @throws {TbuildError} why it cannot be written */
  writeTo(target: CacheTarget, place: Pick<LocalPlace, "tag" | "keep"> & Pick<MergeOptions, "prefer">, opts: StepOpts): Promise<ExportMetadata>;
}

/** Nothing has come yet. Blobs that the directory or the content store has are not sent. */
export function sentCache(dir: string, content: FileContentStore): SentCache {
  const layout = layoutReader(dir);
  const taken = new Set<Digest>();
  const incoming = contentWriter(content, taken);
  return {
    reader: layout,
    writer: {
      async has(digest) {
        if (layout.find(digest) === null) return await incoming.has(digest);
        taken.add(digest);
        return true;
      },
      begin: incoming.begin,
    },
    async writeTo(target, { tag, keep, prefer }, opts) {
      const found = await findCache(dir, content, taken);
      if (found === null) return {};
      const { cache, documents, blobs } = found;
      if (cache.records.length > 0) return await addToCache(target, async () => ({ cache, blobs }), { now: Date.now(), lost: new Set(), prefer }, opts);
      // BuildKit's, whose records nobody here can read: it takes the place of what was there.
      await writeDocuments({ dir, content }, documents, { tag, keep, isCurrent: () => true }, blobs, opts);
      return { "cache.manifest": JSON.stringify(descriptor(documents.manifest.descriptor)) };
    },
  };
}

interface FoundCache {
  readonly cache: SharedCache;
  readonly documents: CacheDocuments;
  readonly blobs: ReadonlyMap<Digest, PushBlob>;
}

/** The cache whose manifest came last; null when there is none. */
async function findCache(dir: string, content: FileContentStore, taken: ReadonlySet<Digest>): Promise<FoundCache | null> {
  for (const digest of [...taken].reverse()) {
    const bytes = await small(dir, content, digest, manifestLimit);
    const parsed = bytes === null ? null : manifestIn(bytes);
    const contents = parsed === null ? null : cacheContents(parsed);
    if (bytes === null || parsed === null || contents === null) continue;
    const { config, blobs } = contents;
    const name = `the cache that the builder has sent for "${dir}"`;
    const configBytes = await small(dir, content, config.digest, cacheLimit);
    if (configBytes === null) throw new TbuildError("corrupt", `Cannot read ${name}: it has no config`);
    const mediaType = parsed.kind === "index" ? parsed.index.mediaType : parsed.manifest.mediaType;
    return {
      cache: parseCacheConfig(configBytes, blobs, name),
      documents: {
        manifest: { bytes, descriptor: { mediaType: mediaType ?? mediaTypes.ociManifest, digest, size: bytes.length } },
        config: { bytes: configBytes, descriptor: config },
      },
      blobs: new Map(blobs.map((blob) => [blob.digest, { descriptor: blob, origin: null, fetch: async () => void (await content.info(blob.digest)) }])),
    };
  }
  return null;
}

/** A blob that has come, or that the directory had; null when it is larger, or not there. */
async function small(dir: string, content: FileContentStore, digest: Digest, limit: number): Promise<Buffer | null> {
  if (!(await hasBlob(content, { digest }))) {
    const there = layoutReader(dir).find(digest);
    if (there === null || there.size > limit) return null;
    const place = { registry: "localhost", repository: "layout/cache", tag: null, digest };
    await createLayoutClient(dir).fetchBlob(place, { mediaType: "", digest, size: there.size }, content);
  }
  const { size } = await content.info(digest);
  return size > limit ? null : await readBlob(content, digest, limit);
}
