import fs from "node:fs";
import type { Compression } from "../bulk/layerJobs.js";
import type { ChunkSource } from "./byteStream.js";
import { canGunzip, gunzip } from "./gunzip.js";
import { readThroughTool } from "./toolPipe.js";

/** An open, decompressing view of a file. Disposing closes the file and ends a helper program, at any time. */
export interface DecompressedFile extends Disposable {
  readonly compression: Compression;
  /** Uncompressed bytes. @throws {TbuildError} corrupt when the data is damaged */
  readonly read: ChunkSource;
}

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** Bytes at the start of a file that {@link sniffCompression} looks at. */
export const SNIFF_BYTES = 6;

/** Compression by the first bytes of a file; "none" for everything unknown. */
export function sniffCompression(start: Uint8Array): Compression {
  const found = magics.find(([, magic]) => magic.every((byte, at) => start[at] === byte));
  if (found !== undefined) return found[0];
  // A size, then the start of a block or of the end: "BZh" alone may be the first name in a tar.
  if (/^425a683[1-9](?:3141|1772)/.test(Buffer.from(start).toString("hex"))) return "bzip2";
  // A zstd file may start with a skippable frame: 0x184d2a50 to 0x184d2a5f, little-endian.
  const skippable = start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18 && (start[0]! & 0xf0) === 0x50;
  return skippable ? "zstd" : "none";
}

/**
 * Opens a file for synchronous reading of its uncompressed bytes, whatever its compression. Memory stays below 1 MiB.
 * gzip is inflated in this thread; the other kinds go through zstd(1), xz(1) and bzip2(1).
 * @throws {TbuildError} unsupported when such a program is not installed
 */
export function openDecompressed(path: string): DecompressedFile {
  const fd = fs.openSync(path, "r");
  try {
    const start = Buffer.alloc(SNIFF_BYTES);
    fs.readSync(fd, start, 0, SNIFF_BYTES, 0);
    return decompress(fd, sniffCompression(start));
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Opens a file that is known not to be compressed, whatever its first bytes look like. */
export function openPlain(path: string): DecompressedFile {
  return decompress(fs.openSync(path, "r"), "none");
}

function decompress(fd: number, compression: Compression): DecompressedFile {
  if (compression === "none" || (compression === "gzip" && canGunzip())) {
    const file = readFile(fd);
    const read = compression === "none" ? file : gunzip(file);
    return { compression, read, [Symbol.dispose]: () => fs.closeSync(fd) };
  }
  const tool = readThroughTool(fd, compression);
  const dispose = (): void => {
    tool[Symbol.dispose]();
    fs.closeSync(fd);
  };
  return { compression, read: tool.read, [Symbol.dispose]: dispose };
}

const CHUNK = 256 * 1024;

function readFile(fd: number): ChunkSource {
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  return () => {
    const length = fs.readSync(fd, chunk, 0, CHUNK, null);
    return length === 0 ? null : chunk.subarray(0, length);
  };
}
