import fs, { type BigIntStats } from "node:fs";
import type { Owner } from "../bulk/actionJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { isErrno } from "../sys/libc.js";
import { copyFileRange } from "../sys/node.js";
import { changedWhile } from "./fileError.js";
import { readChunks, withSource, type SourceFile } from "./readFile.js";
import { changeOwnerOf } from "./target.js";

/** From here on the kernel copies (or shares extents); below, one read and one write are faster. */
const largeBytes = 131_072;
const rangeBytes = 33_554_432;

const createFlags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;
const umask = process.umask();

/** What a copied file becomes; owner null: whoever the kernel makes it. */
export interface NewFile {
  readonly mode: number;
  readonly owner: Owner | null;
}

/**
 * Copies content into a new file at `path`, which must not exist.
 * @throws {TbuildError} unavailable when the source changes meanwhile, permission_denied
 * @throws EEXIST as `node:fs` does
 */
export function copyFile(file: SourceFile, path: string | Buffer, as: NewFile, ctx: JobContext): void {
  withSource(file, "copied", (from) => createFile(path, as, (to) => copyContent(from, to, file, ctx)));
}

/** Creates a file that must not exist, fills it with `write`, and gives it owner and mode. */
export function createFile(path: string | Buffer, as: NewFile, write: (fd: number) => void): void {
  const fd = fs.openSync(path, createFlags, as.mode & 0o777);
  try {
    write(fd);
    if (as.owner !== null) changeOwnerOf(fd, as.owner);
    // chown clears setuid and setgid, open(2) ignores them here and there, and obeys the umask.
    if ((as.mode & (0o7000 | umask)) !== 0) fs.fchmodSync(fd, as.mode);
  } finally {
    fs.closeSync(fd);
  }
}

/** write(2) until all of it is written. */
export function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at, chunk.length - at, null);
}

/** Identity of a file's content for hard links. */
export function inodeOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

function copyContent(from: number, to: number, file: SourceFile, ctx: JobContext): void {
  const size = Number(file.stat.size);
  if (size >= largeBytes && copyRange(from, to, file, size, ctx)) return;
  readChunks(from, file, "copied", (chunk) => {
    writeAll(to, chunk);
    ctx.tick(chunk.length, 0);
  });
}

/** False when the kernel cannot copy between these two; nothing is written then. */
function copyRange(from: number, to: number, file: SourceFile, size: number, ctx: JobContext): boolean {
  for (let at = 0; at < size; ) {
    const copied = copyRangeOnce(from, to, Math.min(rangeBytes, size - at), at === 0);
    if (copied === null) return false;
    if (copied === 0) throw changedWhile(file.shown, "copied");
    at += copied;
    ctx.tick(copied, 0);
  }
  return true;
}

function copyRangeOnce(from: number, to: number, length: number, first: boolean): number | null {
  try {
    return copyFileRange(from, to, length);
  } catch (error) {
    // Source: Go internal/poll/copy_file_range_linux.go.
    if (first && isErrno(error, "ENOSYS", "EXDEV", "EPERM", "EIO", "EOPNOTSUPP", "ENOTSUP", "EINVAL")) return null;
    throw error;
  }
}
