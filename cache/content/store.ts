import type { Digest } from "../oci/digest.js";
import type { Descriptor } from "../oci/descriptor.js";

/** Options of every call that can wait. */
export interface Opts {
  readonly signal?: AbortSignal | undefined;
}

/** What the store knows of a blob. */
export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch of the commit. */
  readonly createdAt: number;
}

/**
 * Bytes by digest, immutable. A blob is visible only when complete and verified.
 *
 * ```ts
 * await using ingest = await store.ingest("layer-0", {});
 * for await (const chunk of body) await ingest.write(chunk);
 * const descriptor = await ingest.commit({ digest, size });  // hashes were taken while writing
 * ```
 */
export interface ContentStore {
  /** @throws {TbuildError} not_found */
  info(digest: Digest): Promise<BlobInfo>;
  /** Bytes from `offset` (default 0) on; verifies nothing again. @throws {TbuildError} not_found */
  read(digest: Digest, opts?: Opts & { readonly offset?: number }): AsyncIterable<Uint8Array>;
  /** Starts a write. `ref` names it, and one writer at a time holds a ref. @throws {TbuildError} unavailable */
  ingest(ref: string, opts?: IngestOpts): Promise<Ingest>;
  /** Every blob, in no order. */
  walk(): AsyncIterable<BlobInfo>;
  /** Deleting what is not there is a success. */
  delete(digest: Digest): Promise<void>;
}

/** Options of {@link ContentStore.ingest}. */
export interface IngestOpts extends Opts {
  /** Go on with what a process that was killed had written under this ref; only a commit tells whether it is right. */
  readonly resume?: boolean;
}

/** A write in progress, invisible until commit. Disposing without commit leaves nothing behind. */
export interface Ingest extends AsyncDisposable {
  /** Bytes so far; above 0 from the start when a write is gone on with. */
  readonly size: number;
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the blob visible and durable. A blob that is already there is a success. The media type of the returned
   * descriptor is "application/octet-stream". @throws {TbuildError} digest_mismatch when digest or size differ
   */
  commit(expected?: { readonly digest?: Digest; readonly size?: number }): Promise<Descriptor>;
}

/** A content store whose blobs are files, so that bulk jobs and exporters can read them without a stream. */
export interface FileContentStore extends ContentStore {
  /** Absolute path of a blob's file; the file may not exist. Never write to it. */
  pathOf(digest: Digest): string;
  /** A fresh path on the store's own file system for {@link adopt}; removed on close or by the next process's recovery. */
  scratchPath(): string;
  /**
   * Takes a finished file whose digest was computed while it was written: fsync, rename. The caller gives the file away. One that is
   * "expendable" is not synced: when the power is lost it may be empty.
   */
  adopt(path: string, digest: Digest, worth?: "lasting" | "expendable"): Promise<BlobInfo>;
}
