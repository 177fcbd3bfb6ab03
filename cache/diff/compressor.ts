/** A compressed stream under construction. Not for calls that overlap. Disposing ends it, finished or not. */
export interface Compressor extends AsyncDisposable {
  /** Takes bytes over; resolves when there is room for more. Rejects with what compression or the output failed with. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when the output has taken the last byte. */
  end(): Promise<void>;
}

/** Takes the bytes of a stream in order, one call at a time. */
export type ChunkSink = (chunk: Uint8Array) => Promise<void> | void;

/** How hard to try, and on how many processors. */
export interface CompressorOptions {
  /** 0 to 9 for gzip, 0 to 22 for zstd; absent for the kind's default. */
  readonly level?: number | undefined;
  /** Default the number of processors. Does not change the bytes. */
  readonly concurrency?: number | undefined;
}
