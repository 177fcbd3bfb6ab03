import { createHash } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { fromSystemError, TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import { createGzip } from "../../cache/diff/gzip.js";
import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import { finishDigest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { hasBlob } from "../registry/client.js";
import { sourceAnnotation } from "../source/image.js";
import type { DiffOutput } from "../../cache/bulk/jobs.js";
import type { SnapshotLayer } from "./layers.js";

/** How layer blobs are written. */
export interface BlobOptions extends Opts {
  /** Default "gzip". */
  readonly compression?: "none" | "gzip";
  /** gzip level 1 to 9; default 4. */
  readonly level?: number | undefined;
  /** False: any blob of a layer will do, whatever its compression, as those of a base image. Default false. */
  readonly force?: boolean;
  /** A pulled layer's blob that is not here: "leave" it for whoever turns out to need its bytes. Default "fetch". */
  readonly missing?: "fetch" | "leave";
  /** Fetches again a blob that was pruned; null when nobody knows where from. */
  readonly refetch?: ((blob: Descriptor) => Promise<void>) | undefined;
}

/**
 * Blobs of these layers in the content store, in the same order; made where there is none yet, and remembered.
 * @throws {TbuildError} not_found when a base layer was pruned and cannot be had again
 */
export async function layerBlobs(
  store: Store,
  layers: readonly SnapshotLayer[],
  options: BlobOptions = {},
): Promise<readonly Descriptor[]> {
  const settled = await Promise.allSettled(layers.map((layer) => layerBlob(store, layer, options)));
  // All have ended, so that nobody writes any more when the first failure is told.
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** One layer's blob; see {@link layerBlobs}. */
export async function layerBlob(store: Store, layer: SnapshotLayer, options: BlobOptions = {}): Promise<Descriptor> {
  const present = await presentBlob(store, layer.blobs, options);
  if (present !== null) return present;
  const usable = usableBlobs(layer.blobs, options);
  const elsewhere = usable.find(({ annotations }) => annotations?.[sourceAnnotation] !== undefined);
  if (options.missing === "leave" && elsewhere !== undefined) return plain(elsewhere);
  const packed = await packAgain(store, layer, options);
  if (packed !== null) return packed;
  return plain(await fetchAgain(layer, usableBlobs(layer.blobs, options), options));
}

/** Which of a layer's blobs is taken for it, when it is in the content store; else null. */
export async function presentBlob(store: Pick<Store, "content">, blobs: readonly Descriptor[], options: BlobOptions = {}): Promise<Descriptor | null> {
  for (const blob of usableBlobs(blobs, options)) if (await hasBlob(store.content, blob)) return plain(blob);
  return null;
}

function usableBlobs(blobs: readonly Descriptor[], { compression = "gzip", force = false }: BlobOptions): readonly Descriptor[] {
  const wanted = compression === "gzip" ? /gzip$/ : /tar$/;
  const fits = blobs.filter(({ mediaType }) => wanted.test(mediaType));
  return force ? fits : [...fits, ...blobs.filter(({ mediaType }) => !wanted.test(mediaType))];
}

/** The descriptor without what is only for us. */
function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/**
 * One snapshot as a layer whose blob is in the content store. Of a layer that nobody has seen, diff ID and blob are made
 * in one pass over its files. @throws {TbuildError} as {@link layerBlobs}
 */
export async function packedLayer(store: Store, snapshot: string, options: BlobOptions = {}): Promise<SnapshotLayer> {
  const known = store.meta.layers.get(snapshot);
  if (known !== undefined) {
    if (!known.empty) await layerBlob(store, { snapshot, ...known }, options);
    return { snapshot, ...(store.meta.layers.get(snapshot) ?? known) };
  }
  const { diff, blob } = await pack(store, snapshot, options);
  const layer: SnapshotLayer = { snapshot, diffId: diff.diffId, size: diff.size, empty: diff.entries === 0, blobs: [] };
  return await remember(store, layer, blob);
}

/**
 * The layer with no time later than `seconds`, as a blob of its own: another layer, which the snapshot's record does not
 * know of. A layer without later times is given back as it is.
 */
export async function clampedLayer(store: Store, layer: SnapshotLayer, seconds: number, options: BlobOptions = {}): Promise<SnapshotLayer> {
  const { diff, blob } = await pack(store, layer.snapshot, options, seconds);
  return diff.diffId === layer.diffId ? layer : { ...layer, diffId: diff.diffId, size: diff.size, blobs: [blob] };
}

/** Null when the snapshot no longer gives the tar that the layer was: a layer of somebody else's making. */
async function packAgain(store: Store, layer: SnapshotLayer, options: BlobOptions): Promise<Descriptor | null> {
  const { diff, blob } = await pack(store, layer.snapshot, options);
  if (diff.diffId !== layer.diffId) return null;
  await remember(store, layer, blob);
  return blob;
}

/** Writes the blob of a snapshot's changes into the content store. */
async function pack(store: Store, snapshot: string, options: BlobOptions, clampMtime: number | null = null): Promise<{ readonly diff: DiffOutput; readonly blob: Descriptor }> {
  const { compression = "gzip" } = options;
  const source = await store.snapshots.changes(snapshot);
  const path = store.content.scratchPath();
  const file = await open(path, "wx", 0o600);
  try {
    const hashed = hashingOutput(file);
    const gzip = compression === "gzip" ? createGzip(hashed.write, { level: options.level }) : null;
    const onChunk = gzip === null ? hashed.write : gzip.write;
    const diff = await store.bulk.run(
      "diffLayer",
      { source, emit: true, clampMtime },
      { signal: options.signal, onChunk },
    );
    await gzip?.end();
    await file.close();
    const { digest, size } = await store.content.adopt(path, hashed.digest());
    const mediaType = compression === "gzip" ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer;
    return { diff, blob: { mediaType, digest, size } };
  } catch (error) {
    throw fromSystemError(error, path);
  } finally {
    await file.close().catch(() => {});
    await rm(path, { force: true });
  }
}

function hashingOutput(file: FileHandle) {
  const hash = createHash("sha256");
  return {
    async write(chunk: Uint8Array): Promise<void> {
      hash.update(chunk);
      for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
    },
    digest: () => finishDigest(hash),
  };
}

/** Adds the blob to the layer's record, in which another process may have written meanwhile. */
async function remember(store: Store, { snapshot, ...record }: SnapshotLayer, blob: Descriptor): Promise<SnapshotLayer> {
  return await store.meta.transaction((tx) => {
    const current = tx.layers.get(snapshot) ?? record;
    const others = current.blobs.filter(({ digest }) => digest !== blob.digest);
    const updated = { ...current, blobs: [...others, blob] };
    tx.layers.put(snapshot, updated);
    return { snapshot, ...updated };
  });
}

async function fetchAgain(layer: SnapshotLayer, blobs: readonly Descriptor[], { refetch }: BlobOptions): Promise<Descriptor> {
  const [blob] = blobs;
  if (blob !== undefined && refetch !== undefined) {
    await refetch(blob);
    return blob;
  }
  throw new TbuildError("not_found", `Cannot pack layer ${layer.diffId}: its blob is not in the store any more`, {
    hint: "Pull the base image again",
  });
}
