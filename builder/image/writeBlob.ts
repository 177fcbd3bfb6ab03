import { createHash } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import type { Opts } from "../../cache/content/store.js";
import { createCompressor, type StreamCompression } from "../../cache/diff/compress.js";
import type { ChunkSink } from "../../cache/diff/compressor.js";
import { fromSystemError } from "../../cache/errors.js";
import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import { finishDigest, type Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { ApplyOutput, DiffOutput, LayerForm } from "../../cache/bulk/layerJobs.js";

/** Hands out a layer's tar in chunks that become the sink's own, and tells what it was. */
export type TarSource<T extends ApplyOutput> = (sink: ChunkSink, opts: Opts) => Promise<T>;

/** The tar of a snapshot's changes, with no time later than `clampMtime` in seconds; null keeps them. */
export function snapshotTar(store: Store, snapshot: string, clampMtime: number | null = null, form: LayerForm = "linux"): TarSource<DiffOutput> {
  return async (onChunk, { signal }) => {
    const source = await store.snapshots.changes(snapshot);
    return await store.bulk.run("diffLayer", { source, emit: true, clampMtime, form }, { signal, onChunk });
  };
}

/** The tar in a layer blob of the content store. */
export function blobTar(store: Store, { digest }: Descriptor): TarSource<ApplyOutput> {
  return async (onChunk, { signal }) => {
    return await store.bulk.run("readLayer", { blob: store.content.pathOf(digest) }, { signal, onChunk });
  };
}

/** How {@link writeBlob} compresses. */
export interface StreamOptions extends Opts {
  readonly compression: StreamCompression;
  /** See CompressorOptions. */
  readonly level?: number | undefined;
}

const layerTypes: Readonly<Record<StreamCompression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** Writes a layer blob into the content store. @throws {TbuildError} unsupported, resource_exhausted, cancelled */
export async function writeBlob<T extends ApplyOutput>(
  store: Store,
  source: TarSource<T>,
  options: StreamOptions,
): Promise<{ readonly tar: T; readonly blob: Descriptor }> {
  const { compression, level } = options;
  const { result: tar, ...written } = await intoContent(store, async (sink) => {
    await using compressor = createCompressor(compression, sink, { level });
    const read = await source(compressor.write, options);
    await compressor.end();
    return read;
  });
  return { tar, blob: { mediaType: layerTypes[compression], ...written } };
}

/** What `write` puts into the sink becomes a blob of the content store. @throws {TbuildError} resource_exhausted */
export async function intoContent<T>(
  store: Store,
  write: (sink: ChunkSink) => Promise<T>,
): Promise<{ readonly result: T; readonly digest: Digest; readonly size: number }> {
  return await withScratch(store, async (file, path) => {
    const hash = createHash("sha256");
    const result = await write(async (chunk) => {
      hash.update(chunk);
      await writeAll(file, chunk);
    });
    await file.close();
    const { digest, size } = await store.content.adopt(path, finishDigest(hash));
    return { result, digest, size };
  });
}

/** Writes a tar into a file, hands that to `use`, and removes it. @throws {TbuildError} resource_exhausted */
export async function withTarFile<T>(
  store: Store,
  source: TarSource<ApplyOutput>,
  opts: Opts,
  use: (path: string) => Promise<T>,
): Promise<T> {
  return await withScratch(store, async (file, path) => {
    await source((chunk) => writeAll(file, chunk), opts);
    await file.close();
    return await use(path);
  });
}

/** Opens a new file for `body`; closed and removed afterwards, where it still is there. */
async function withScratch<T>(store: Store, body: (file: FileHandle, path: string) => Promise<T>): Promise<T> {
  const path = store.content.scratchPath();
  const file = await open(path, "wx", 0o600);
  try {
    return await body(file, path);
  } catch (error) {
    throw fromSystemError(error, path);
  } finally {
    await file.close().catch(() => {});
    await rm(path, { force: true });
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
}
