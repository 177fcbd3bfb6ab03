import { TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { ApplyOutput } from "../../cache/bulk/layerJobs.js";
import type { StreamCompression } from "../../cache/diff/compress.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import { hasBlob } from "../registry/client.js";
import { layerAnnotations, rewrittenAnnotation } from "./layerAnnotations.js";
import { sourceAnnotation } from "./origin.js";
import type { SnapshotLayer } from "./layers.js";
import { blobTar, snapshotTar, writeBlob, type StreamOptions, type TarSource } from "./writeBlob.js";

/** How layer blobs are written. */
export interface BlobOptions extends Opts {
  /** Default "gzip". */
  readonly compression?: StreamCompression;
  /** Of a blob that is written now: see CompressorOptions. */
  readonly level?: number | undefined;
  /** False: any blob of a layer will do, whatever its compression, as those of a base image. Default false. */
  readonly force?: boolean;
  /** Blobs of this compression will not do even without `force`: whoever gets them cannot read it. */
  readonly avoid?: StreamCompression;
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
  const { others, usable } = blobsFor(layer.blobs, options);
  const present = await firstPresent(store, usable);
  if (present !== null) return plain(present);
  const elsewhere = usable.find(({ annotations }) => annotations?.[sourceAnnotation] !== undefined);
  if (options.missing === "leave" && elsewhere !== undefined) return plain(elsewhere);
  const source = await firstPresent(store, others);
  if (source !== null) return await recompress(store, layer, source, options);
  const { here } = await store.snapshots.stat(layer.snapshot);
  const packed = here ? await packAgain(store, layer, options) : null;
  if (packed !== null) return packed;
  if (usable.length > 0) return plain(await fetchAgain(layer, usable, options));
  return await recompress(store, layer, await fetchAgain(layer, others, options), options);
}

/** Which of a layer's blobs is taken for it, when it is in the content store; else null. */
export async function presentBlob(store: Store, blobs: readonly Descriptor[], options: BlobOptions = {}): Promise<Descriptor | null> {
  return await firstPresent(store, blobsFor(blobs, options).usable);
}

/** Blobs that may be taken for a layer, the ones that are compressed as asked first; and all that are compressed otherwise. */
function blobsFor(blobs: readonly Descriptor[], { compression = "gzip", force = false, avoid }: BlobOptions) {
  const fits = blobs.filter(({ mediaType }) => typePatterns[compression].test(mediaType));
  const others = blobs.filter(({ mediaType }) => !typePatterns[compression].test(mediaType));
  const tolerable = others.filter(({ mediaType }) => avoid === undefined || !typePatterns[avoid].test(mediaType));
  return { others, usable: force ? fits : [...fits, ...tolerable] };
}

const typePatterns: Readonly<Record<StreamCompression, RegExp>> = { none: /tar$/, gzip: /gzip$/, zstd: /zstd$/ };

async function firstPresent(store: Store, blobs: readonly Descriptor[]): Promise<Descriptor | null> {
  for (const blob of blobs) if (await hasBlob(store.content, blob)) return blob;
  return null;
}

/** The descriptor without what is only for us. */
function plain({ annotations, ...blob }: Descriptor): Descriptor {
  const kept = layerAnnotations(annotations);
  return kept === undefined ? blob : { ...blob, annotations: kept };
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
  const { tar, blob } = await writeBlob(store, snapshotTar(store, snapshot), streamOptions(options));
  const layer: SnapshotLayer = { snapshot, diffId: tar.diffId, size: tar.size, empty: tar.entries === 0, blobs: [] };
  return await remember(store, layer, blob);
}

/** The layer in the form that Windows reads, with no time later than `seconds`, as a blob of its own: see {@link clampedLayer}. */
export async function windowsLayer(store: Store, layer: SnapshotLayer, seconds: number | null, options: BlobOptions = {}): Promise<SnapshotLayer> {
  const { tar, blob } = await writeBlob(store, snapshotTar(store, layer.snapshot, seconds, "windows"), streamOptions(options));
  return { ...layer, diffId: tar.diffId, size: tar.size, blobs: [seconds === null ? blob : rewritten(blob, seconds)] };
}

/**
 * The layer with no time later than `seconds`, as a blob of its own: another layer, which the snapshot's record does not
 * know of. A layer without later times is given back as it is.
 */
export async function clampedLayer(store: Store, layer: SnapshotLayer, seconds: number, options: BlobOptions = {}): Promise<SnapshotLayer> {
  const { tar, blob } = await writeBlob(store, snapshotTar(store, layer.snapshot, seconds), streamOptions(options));
  return tar.diffId === layer.diffId ? layer : { ...layer, diffId: tar.diffId, size: tar.size, blobs: [rewritten(blob, seconds)] };
}

function rewritten(blob: Descriptor, seconds: number): Descriptor {
  return { ...blob, annotations: { ...blob.annotations, [rewrittenAnnotation]: String(seconds) } };
}

/**
 * A tar of the layer: that of a blob where there is one, since the diff ID of a layer of somebody else's making is only had
 * from that, or else one of its files. @throws {TbuildError} as {@link layerBlobs}
 */
export async function layerTar(store: Store, layer: SnapshotLayer, options: BlobOptions): Promise<TarSource<ApplyOutput>> {
  const present = await firstPresent(store, layer.blobs);
  if (present !== null) return verifiedTar(store, layer, present);
  const elsewhere = layer.blobs.filter(({ annotations }) => annotations?.[sourceAnnotation] !== undefined);
  if (elsewhere.length === 0) return snapshotTar(store, layer.snapshot);
  return verifiedTar(store, layer, await fetchAgain(layer, elsewhere, options));
}

/** Null when the snapshot no longer gives the tar that the layer was: a layer of somebody else's making. */
async function packAgain(store: Store, layer: SnapshotLayer, options: BlobOptions): Promise<Descriptor | null> {
  const { tar, blob } = await writeBlob(store, snapshotTar(store, layer.snapshot), streamOptions(options));
  if (tar.diffId !== layer.diffId) return null;
  await remember(store, layer, blob);
  return blob;
}

/** Writes the tar in another blob of the layer anew, so that the diff ID stays. */
async function recompress(store: Store, layer: SnapshotLayer, source: Descriptor, options: BlobOptions): Promise<Descriptor> {
  const { blob } = await writeBlob(store, verifiedTar(store, layer, source), streamOptions(options));
  await remember(store, layer, blob);
  return blob;
}

/** The tar in one of the layer's blobs. @throws {TbuildError} corrupt at its end, when it is another one */
function verifiedTar(store: Store, layer: SnapshotLayer, blob: Descriptor): TarSource<ApplyOutput> {
  const source = blobTar(store, blob);
  return async (sink, opts) => {
    const tar = await source(sink, opts);
    if (tar.diffId === layer.diffId) return tar;
    throw new TbuildError("corrupt", `Cannot compress layer ${layer.diffId} anew: its blob ${blob.digest} has diff ID ${tar.diffId}`);
  };
}

function streamOptions({ compression = "gzip", level, signal }: BlobOptions): StreamOptions {
  return { compression, level, signal };
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
