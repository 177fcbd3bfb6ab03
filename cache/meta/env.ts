import { closeSync, openSync, readSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type * as Lmdb from "lmdb";
import type { RootDatabase } from "lmdb";
import { fromSystemError, isTbuildError, TbuildError } from "../errors.js";
import { requireNative } from "../sys/native.js";

const GIB = 2 ** 30;

/** First bytes of an lmdb meta page: a page header of 24 bytes, then MDB_MAGIC (0xBEEFC0DE). Source: lmdb's mdb.c. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;

const EIO = 5;
const ENOSPC = 28;

/**
 * Settings that every opener of the environment must share, in worker threads as well.
 * The map is address space, not memory or disk; a fixed one saves remapping while other processes write.
 * Without `overlappingSync` a commit is on disk before it is visible, at the same measured cost.
 */
export const envOptions = {
  encoding: "json",
  mapSize: 16 * GIB,
  maxDbs: 32,
  maxReaders: 1024,
  overlappingSync: false,
  /** One sync a commit instead of two. Losing power may undo the last commit, never damage the rest: see decision 0004. */
  noMetaSync: true,
  /** Batches end in a promise of lmdb's own that nobody can listen to, so that a failed commit would end the process. */
  eventTurnBatching: false,
  /** Not for others to read: key parts hold build arguments. */
  permissionsMode: 0o600,
} as const;

/**
 * Opens the lmdb environment in the file `path`, creating it when missing. Only after {@link checkOpenable}, and
 * while nobody writes to it: see openGuard. @throws {TbuildError} corrupt, resource_exhausted
 */
export function openEnv(path: string): RootDatabase {
  const { open } = requireNative("lmdb") as typeof Lmdb;
  try {
    return open({ path, ...envOptions });
  } catch (error) {
    throw fromLmdbError(error, path);
  }
}

/**
 * lmdb ends the process on a foreign file, and when it cannot write its first pages, so that this comes before opening.
 * @throws {TbuildError} corrupt, resource_exhausted
 */
export function checkOpenable(path: string): void {
  if (isForeign(path)) throw corrupt(path);
  if (isNew(path) && isFull(dirname(path))) throw diskFull(path);
}

/** Turns an lmdb error into one with a code: a full disk or map into `resource_exhausted`, damage into `corrupt`. */
export function fromLmdbError(error: unknown, path: string): unknown {
  if (isTbuildError(error)) return error;
  const { code, message } = error as { code?: unknown; message?: string };
  if (code === ENOSPC || (code === EIO && isFull(path)) || /MDB_MAP_FULL|mapsize limit/.test(message ?? "")) {
    return diskFull(path, error);
  }
  if (/MDB_CORRUPTED|MDB_INVALID|MDB_VERSION_MISMATCH|MDB_PAGE_NOTFOUND/.test(message ?? "")) return corrupt(path, error);
  return fromSystemError(error);
}

// lmdb reports the short write of a disk that has just become full as EIO; a group of pages is what it had no room for.
function isFull(path: string): boolean {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize < 2 ** 20;
}

function isNew(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function isForeign(path: string): boolean {
  const head = Buffer.alloc(MAGIC_AT + 4);
  const read = readHead(path, head);
  return read > 0 && (read < head.length || head.readUInt32LE(MAGIC_AT) !== MAGIC);
}

function readHead(path: string, into: Buffer): number {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
  try {
    return readSync(fd, into, 0, into.length, 0);
  } finally {
    closeSync(fd);
  }
}

function diskFull(path: string, cause?: unknown): unknown {
  return fromSystemError(Object.assign(new Error("No space left", { cause }), { code: "ENOSPC", path }));
}

function corrupt(path: string, cause?: unknown): TbuildError {
  return new TbuildError("corrupt", `Cannot open metadata "${path}": not a metadata database`, {
    hint: "Move the file away to start with an empty cache",
    cause,
  });
}
