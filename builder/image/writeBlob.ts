import { createHash } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import type { Opts } from "../../cache/content/store.js";
import { createCompressor, type StreamCompression } from "../../cache/diff/compress.js";
import type { ChunkSink } from "../../cache/diff/compressor.js";
import { fromSystemError } from "../../cache/errors.js";
import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import { finishDigest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { ApplyOutput, DiffOutput } from "../../cache/bulk/jobs.js";

/** Hands out a layer's tar in chunks that become the sink's own, and tells what it was. */
export type TarSource<T extends ApplyOutput> = (sink: ChunkSink, opts: Opts) => Promise<T>;

/** The tar of a snapshot's changes, with no time later than `clampMtime` in seconds; null keeps them. */
export function snapshotTar(store: Store, snapshot: string, clampMtime: number | null = null): TarSource<DiffOutput> {
  return async (onChunk, { signal }) => {
    const source = await store.snapshots.changes(snapshot);
    return await store.bulk.run("diffLayer", { source, emit: true, clampMtime }, { signal, onChunk });
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
  const path = store.content.scratchPath();
  const file = await open(path, "wx", 0o600);
  try {
    const hashed = hashingOutput(file);
    await using compressor = createCompressor(compression, hashed.write, { level });
    const tar = await source(compressor.write, options);
    await compressor.end();
    await file.close();
    const { digest, size } = await store.content.adopt(path, hashed.digest());
    return { tar, blob: { mediaType: layerTypes[compression], digest, size } };
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
