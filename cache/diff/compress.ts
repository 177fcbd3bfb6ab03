import type { ChunkSink, Compressor, CompressorOptions } from "./compressor.js";
import { createGzip } from "./gzip.js";
import { createZstd } from "./zstd.js";

/** Kinds of streams that a layer can be written as. */
export type StreamCompression = "none" | "gzip" | "zstd";

/**
 * Starts a stream into `output`. The bytes do not depend on `concurrency`.
 * @throws {TbuildError} unsupported when a program for it is not installed
 */
export function createCompressor(compression: StreamCompression, output: ChunkSink, options: CompressorOptions = {}): Compressor {
  if (compression === "zstd") return createZstd(output, options);
  const nothing = async (): Promise<void> => {};
  if (compression === "gzip") return { ...createGzip(output, options), [Symbol.asyncDispose]: nothing };
  return { write: async (chunk) => output(chunk), end: nothing, [Symbol.asyncDispose]: nothing };
}
