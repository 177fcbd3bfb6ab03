import fs, { type BigIntStats } from "node:fs";
import { changedWhile, readError } from "./fileError.js";
import { osPath } from "./names.js";

/** A file of up to this many bytes is read with one call. */
const smallBytes = 65_536;
const chunkBytes = 1_048_576;

// One buffer per thread; jobs are synchronous, so that two never use it at once.
let buffer = Buffer.allocUnsafeSlow(smallBytes);

/** A source file that was seen by a walk. `shown` is its path for messages; both paths are byte strings. */
export interface SourceFile {
  readonly path: string;
  readonly shown: string;
  readonly stat: BigIntStats;
}

/**
 * Opens the file that the walk saw, calls `body`, and makes sure that neither it nor its identity changed meanwhile.
 * @throws {TbuildError} unavailable, permission_denied
 */
export function withSource<T>(file: SourceFile, doing: "read" | "copied", body: (fd: number) => T): T {
  let fd: number;
  try {
    // Without O_NONBLOCK a file that became a FIFO would block for ever.
    fd = fs.openSync(osPath(file.path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    throw readError(error, file.shown, doing);
  }
  try {
    const result = body(fd);
    if (!sameFile(fs.fstatSync(fd, { bigint: true }), file.stat)) throw changedWhile(file.shown, doing);
    return result;
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Hands the content to `sink` in order. The chunk is only valid during the call.
 * @throws {TbuildError} unavailable when there are fewer or more bytes than the walk saw
 */
export function readChunks(fd: number, file: SourceFile, doing: "read" | "copied", sink: (chunk: Buffer) => void): void {
  const size = Number(file.stat.size);
  if (size > smallBytes && buffer.length < chunkBytes) buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for (let at = 0; at < size; ) {
    const read = fs.readSync(fd, buffer, 0, Math.min(buffer.length, size - at), null);
    if (read === 0) throw changedWhile(file.shown, doing);
    sink(buffer.subarray(0, read));
    at += read;
  }
}

function sameFile(now: BigIntStats, seen: BigIntStats): boolean {
  return now.ino === seen.ino && now.dev === seen.dev && now.size === seen.size &&
    now.mtimeNs === seen.mtimeNs && now.ctimeNs === seen.ctimeNs;
}
