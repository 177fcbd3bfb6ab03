import type { BigIntStats } from "node:fs";
import type * as Lmdb from "lmdb";
import type { RootDatabase } from "lmdb";
import { requireNative } from "../sys/native.js";
import { hasCode } from "../errors.js";
import { checkOpenable, fromLmdbError } from "../meta/env.js";
import { whileNobodyOpensSync, whileNobodyWritesSync } from "../meta/openGuard.js";

/** What is remembered of a file: 32 bytes of sha256 of its content, then 32 of its extended attributes if it has any. */
export type FileHash = Buffer;

/**
 * File hashes by identity: a file is taken for unchanged while device, inode, size, mtime and ctime are the same.
 * Source: the same idea as git's index.
 */
export interface FileHashes {
  get(stat: BigIntStats): FileHash | undefined;
  /** Remembered when {@link FileHashes.flush} is called, unless the file changed so recently that it may change unseen. */
  add(stat: BigIntStats, hash: FileHash): void;
  /** Writes what was added, in one transaction. What a full disk does not take is forgotten: it can be computed again. */
  flush(): void;
}

/** Two writes within one tick of the kernel's clock leave the same ctime. */
const racyNs = 50_000_000n;

/** So many files take about 250 MB; then everything is forgotten rather than anything collected. */
const maxEntries = 2_000_000;

const identityBytes = 24;

// One environment per thread and path: lmdb does not allow more, and opening costs half a millisecond.
const environments = new Map<string, RootDatabase<Buffer, Buffer>>();

/**
 * Opens the database at `path` (created when missing) for one job; null remembers nothing, and so does a new database on a
 * full disk. Closed with the thread.
 */
export function openFileHashes(path: string | null): FileHashes {
  return path === null ? nothing : (ifThereIsRoom(path, () => remembered(path)) ?? nothing);
}

const nothing: FileHashes = { get: () => undefined, add: () => {}, flush: () => {} };

function remembered(path: string): FileHashes {
  const db = environmentOf(path);
  db.resetReadTxn();
  const racyFrom = BigInt(Date.now()) * 1_000_000n - racyNs;
  const added: (readonly [key: Buffer, value: Buffer])[] = [];
  const key = Buffer.allocUnsafe(16);
  const identity = Buffer.allocUnsafe(identityBytes);

  function get(stat: BigIntStats): FileHash | undefined {
    const value = db.getBinaryFast(writeKey(key, stat));
    if (value === undefined) return undefined;
    const same = writeIdentity(identity, stat).compare(value, 0, identityBytes) === 0;
    return same ? Buffer.from(value.subarray(identityBytes)) : undefined;
  }

  function add(stat: BigIntStats, hash: FileHash): void {
    if (stat.ctimeNs >= racyFrom) return;
    const value = Buffer.concat([writeIdentity(identity, stat), hash]);
    added.push([Buffer.from(writeKey(key, stat)), value]);
  }

  function flush(): void {
    if (added.length === 0) return;
    ifThereIsRoom(path, () => whileNobodyOpensSync(path, writeAdded));
    added.length = 0;
  }

  function writeAdded(): void {
    db.transactionSync(() => {
      if ((db.getStats() as { entryCount: number }).entryCount > maxEntries) db.clearSync();
      for (const [k, value] of added) db.putSync(k, value);
    });
  }

  return { get, add, flush };
}

/** Null when the disk is full. */
function ifThereIsRoom<T>(path: string, body: () => T): T | null {
  try {
    return body();
  } catch (error) {
    const known = fromLmdbError(error, path);
    if (!hasCode(known, "resource_exhausted")) throw known;
    return null;
  }
}

function environmentOf(path: string): RootDatabase<Buffer, Buffer> {
  let db = environments.get(path);
  if (db === undefined) {
    checkOpenable(path);
    const { open } = requireNative("lmdb") as typeof Lmdb;
    db = whileNobodyWritesSync(path, () => open<Buffer, Buffer>({ path, keyEncoding: "binary", encoding: "binary" }));
    environments.set(path, db);
  }
  return db;
}

function writeKey(key: Buffer, stat: BigIntStats): Buffer {
  key.writeBigUInt64BE(BigInt.asUintN(64, stat.dev), 0);
  key.writeBigUInt64BE(BigInt.asUintN(64, stat.ino), 8);
  return key;
}

function writeIdentity(identity: Buffer, stat: BigIntStats): Buffer {
  identity.writeBigInt64BE(stat.size, 0);
  identity.writeBigInt64BE(stat.mtimeNs, 8);
  identity.writeBigInt64BE(stat.ctimeNs, 16);
  return identity;
}
