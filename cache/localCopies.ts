import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { storeLayout } from "./layout.js";
import { type Lock, tryLock } from "./sys/lock.js";

/**
 * A directory that keeps what a client sent last time, so that only what has changed need be sent again. Nobody else uses it
 * until it is disposed or the process dies.
 */
export interface LocalCopy extends Disposable {
  /** Absolute; exists, and may be empty. */
  readonly path: string;
}

/** One copy, for `du` and `prune`. */
export interface LocalCopyInfo {
  /** `<digest>/<number>`, below the store's copies. */
  readonly name: string;
  /** What it is a copy of. */
  readonly key: string;
  readonly path: string;
  readonly inUse: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

/** Deletes a tree of any size; absent is a success. */
export type RemoveTree = (dir: string) => Promise<void>;

/**
 * The copy of what is called `key`; the next one when somebody uses it, so that two builds never wait for each other. A copy
 * of before the machine was last started is not trusted, because its files may never have reached the disk.
 */
export async function openLocalCopy(root: string, key: string, removeTree: RemoveTree): Promise<LocalCopy> {
  const dir = path.join(storeLayout(root).localCopies, createHash("sha256").update(key).digest("hex"));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, "key"), key);
  for (let number = 0; ; number++) {
    const at = path.join(dir, String(number));
    const lock = tryLock(`${at}.lock`);
    if (lock !== null) return await prepared(at, lock, removeTree);
  }
}

async function prepared(at: string, lock: Lock, removeTree: RemoveTree): Promise<LocalCopy> {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    if (textOf(`${at}.boot`) !== boot) {
      await removeTree(at);
      writeFileSync(`${at}.boot`, boot);
    }
    mkdirSync(at, { recursive: true, mode: 0o755 });
    const now = new Date();
    utimesSync(lock.path, now, now);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  return { path: at, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

/** Every copy, also one whose removal a kill has interrupted. */
export function listLocalCopies(root: string): readonly LocalCopyInfo[] {
  const { localCopies } = storeLayout(root);
  return namesIn(localCopies).flatMap((digest) => {
    const dir = path.join(localCopies, digest);
    const numbers = new Set(namesIn(dir).flatMap((name) => /^(\d+)(?:\.gone)?$/.exec(name)?.[1] ?? []));
    return [...numbers].flatMap((number) => infoOf(dir, `${digest}/${number}`, path.join(dir, number)) ?? []);
  });
}

function infoOf(dir: string, name: string, at: string): LocalCopyInfo | null {
  const found = existsSync(at) ? at : `${at}.gone`;
  const made = statSync(found, { throwIfNoEntry: false });
  if (made === undefined) return null;
  const lock = tryLock(`${at}.lock`);
  lock?.[Symbol.dispose]();
  const lastUsedAt = statSync(`${at}.lock`).mtimeMs;
  return { name, key: textOf(path.join(dir, "key")), path: found, inUse: lock === null, createdAt: made.birthtimeMs, lastUsedAt };
}

/** Removes a copy by its name, unless somebody uses it now; true when it is gone. */
export async function removeLocalCopy(root: string, name: string, removeTree: RemoveTree): Promise<boolean> {
  const at = path.join(storeLayout(root).localCopies, name);
  using lock = tryLock(`${at}.lock`);
  if (lock === null) return false;
  // Out of sight first: half of a tree is no copy.
  await removeTree(`${at}.gone`);
  if (existsSync(at)) renameSync(at, `${at}.gone`);
  await removeTree(`${at}.gone`);
  return true;
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function namesIn(dir: string): readonly string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
