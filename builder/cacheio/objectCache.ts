import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { FileContentStore, Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { type FetchOpts, hasBlob } from "../registry/client.js";
import type { CacheSource, CacheTarget } from "./backend.js";
import { encodeCacheConfig, parseCacheConfig } from "./cacheConfig.js";
import { blobsOf, emptyCache, type SharedCache } from "./sharedCache.js";

/** A service that keeps bytes under names: a cache there is its config alone, and its layers by their digests. */
export interface ObjectStore {
  /** Configs that may be read, the one that is written first. @throws {TbuildError} why it cannot be reached */
  configs(opts: Opts): Promise<readonly StoredConfig[]>;
  /** What is written over; null when there is nothing yet. */
  current(opts: Opts): Promise<StoredConfig | null>;
  /** Writes the config after `before`; "changed" when somebody else has done so. */
  writeConfig(bytes: Buffer, before: StoredConfig | null, opts: Opts): Promise<"stored" | "changed">;
  /** Whether a layer is there; it is used, and should stay. */
  has(blob: Descriptor, opts: Opts): Promise<boolean>;
  /** Writes a layer; one that is there already is a success. `open` gives a pass over the bytes from an offset on, to an end that is not included. */
  put(blob: Descriptor, open: (from?: number, to?: number) => Readable, opts: Opts): Promise<void>;
  /** Bytes of a layer, which nobody has checked. @throws {TbuildError} not_found */
  get(blob: Descriptor, opts: Opts): AsyncIterable<Uint8Array>;
}

/** See {@link ObjectStore}. */
export interface StoredConfig {
  readonly bytes: Uint8Array;
  /** Differs when what is there differs. */
  readonly version: string;
}

/** What a cache in an object store is called, and where its layers go. */
export interface ObjectCache {
  readonly name: string;
  /** What `sourceAnnotation` says of its layers. */
  readonly origin: string;
  readonly objects: ObjectStore;
  readonly content: FileContentStore;
}

/** A cache of an object store to look things up in. */
export function objectSource({ name, origin, objects }: ObjectCache): CacheSource {
  return {
    name,
    read: async (opts) => (await objects.configs(opts)).map(({ bytes }) => ({ cache: parseCacheConfig(bytes, null, `cache "${name}"`), origin })),
  };
}

/** Brings a layer of the cache into the content store. @throws {TbuildError} not_found, digest_mismatch */
export function objectFetch({ objects, content }: ObjectCache): (blob: Descriptor, opts: FetchOpts) => Promise<void> {
  return async (blob, { onProgress, ...opts }) => {
    if (await hasBlob(content, blob)) return;
    await using ingest = await content.ingest(`object-${blob.digest.replace(":", "-")}-${process.hrtime.bigint()}`, opts);
    for await (const chunk of objects.get(blob, opts)) {
      await ingest.write(chunk);
      onProgress?.(ingest.size);
    }
    await ingest.commit(blob);
  };
}

/** Layers that are written at a time. */
const UPLOADS = 4;

/** A cache of an object store to write to. `step` is its name in the progress. */
export function objectTarget(cache: ObjectCache, step: string): CacheTarget {
  const { name, objects, content } = cache;
  return {
    step,
    name,
    fetch: objectFetch(cache),
    async read(opts) {
      const found = await objects.current(opts);
      return found === null ? null : { cache: readOrEmpty(found.bytes, name), version: found.version };
    },
    async write(written, state, blobs, opts) {
      const bytes = encodeCacheConfig(written);
      const before = state === null ? null : await objects.current(opts);
      if ((before?.version ?? null) !== (state?.version ?? null)) return "changed";
      if (before !== null && digestOf(before.bytes) === digestOf(bytes)) return { metadata: {} };
      await putAll(blobsOf(written), async (blob) => {
        if (await objects.has(blob, opts)) return;
        const ours = blobs.get(blob.digest);
        if (ours === undefined) throw new TbuildError("not_found", `Cannot add to cache "${name}": its layer ${blob.digest} is not there any more`);
        await putBlob({ objects, content }, blob, ours.fetch, opts);
      });
      return (await objects.writeConfig(bytes, before, opts)) === "changed" ? "changed" : { metadata: {} };
    },
  };
}

/** What cannot be read is written over. */
function readOrEmpty(bytes: Uint8Array, name: string): SharedCache {
  try {
    return parseCacheConfig(bytes, null, name);
  } catch {
    return emptyCache;
  }
}

async function putBlob({ objects, content }: Pick<ObjectCache, "objects" | "content">, blob: Descriptor, fetch: () => Promise<void>, opts: StepOpts): Promise<void> {
  await fetch();
  const id = `writing layer ${blob.digest}`;
  opts.report.status(id, 0, blob.size);
  const file = content.pathOf(blob.digest);
  await objects.put(blob, (from = 0, to = blob.size) => createReadStream(file, { start: from, end: Math.max(from, to - 1) }), opts);
  opts.report.status(id, blob.size, blob.size);
  opts.report.statusDone(id);
}

async function putAll(blobs: readonly Descriptor[], put: (blob: Descriptor) => Promise<void>): Promise<void> {
  const { default: PQueue } = await import("p-queue");
  const queue = new PQueue({ concurrency: UPLOADS });
  const settled = await Promise.allSettled(blobs.map((blob) => queue.add(() => put(blob))));
  for (const one of settled) if (one.status === "rejected") throw one.reason;
}
