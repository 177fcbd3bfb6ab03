import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cancelled } from "./errors.js";
import { storeLayout } from "./layout.js";
import { type Lock, tryLock } from "./sys/lock.js";

/** A directory that outlives the steps that use it. */
export interface CacheMountRequest {
  /** As the user knows it. */
  readonly id: string;
  /** Digest of what it starts with; "" for nothing. Another one is another directory. */
  readonly base: string;
  readonly sharing: "shared" | "private" | "locked";
  /** Fills a new directory, which exists and is empty. */
  readonly fill: (dir: string) => Promise<void>;
  /** Called once when somebody else has it. */
  readonly onWait: () => void;
  readonly signal: AbortSignal;
}

/** Nobody removes it, and nobody uses it against its sharing, until it is disposed or the process dies. */
export interface CacheMount extends Disposable {
  readonly path: string;
}

/** One directory, for `du` and `prune`. */
export interface CacheMountInfo {
  /** `<digest>/<number>`, below the store's cache mounts. */
  readonly name: string;
  /** Id that the user gave it. */
  readonly id: string;
  readonly path: string;
  readonly inUse: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

const POLL_MS = 50;

/**
 * Gets the directory of a cache mount, which is made when there is none. `shared` ones are used by many at a time, `locked`
 * ones by one after the other, also across processes; a `private` one that is in use is left to its user for another
 * directory. Locks end with the process that holds them. @throws {TbuildError} cancelled
 */
export async function openCacheMount(root: string, request: CacheMountRequest): Promise<CacheMount> {
  const dir = path.join(storeLayout(root).cacheMounts, keyOf(request));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, "id"), request.id);
  const lock = request.sharing === "private" ? await firstFree(dir, request) : await numbered(dir, 0, request);
  const now = new Date();
  utimesSync(lock.path, now, now);
  return { path: lock.path.slice(0, -LOCK.length), [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

const LOCK = ".lock";

function keyOf({ id, base }: CacheMountRequest): string {
  return createHash("sha256").update(JSON.stringify(["tbuild.cachemount.v1", id, base])).digest("hex");
}

async function firstFree(dir: string, request: CacheMountRequest): Promise<Lock> {
  for (let number = 0; ; number++) {
    const lock = tryLock(path.join(dir, `${number}${LOCK}`));
    if (lock === null) continue;
    await makeOrRelease(lock, path.join(dir, String(number)), request);
    return lock;
  }
}

/** A directory is made by one who has it alone; then it can be shared. */
async function numbered(dir: string, number: number, request: CacheMountRequest): Promise<Lock> {
  const at = path.join(dir, String(number));
  const file = at + LOCK;
  for (let told = false; ; ) {
    const alone = request.sharing === "locked" || !existsSync(at);
    const lock = tryLock(file, alone ? "exclusive" : "shared");
    if (lock !== null) {
      await makeOrRelease(lock, at, request);
      if (!alone || request.sharing === "locked") return lock;
      lock[Symbol.dispose]();
      continue;
    }
    // While it is being made there is nothing to tell.
    if (!told && existsSync(at)) {
      request.onWait();
      told = true;
    }
    await delay(POLL_MS);
    if (request.signal.aborted) throw cancelled(request.signal);
  }
}

async function makeOrRelease(lock: Lock, at: string, { fill }: CacheMountRequest): Promise<void> {
  if (existsSync(at)) return;
  try {
    // What a killed process had begun.
    rmSync(`${at}.new`, { recursive: true, force: true });
    mkdirSync(`${at}.new`, { mode: 0o755 });
    await fill(`${at}.new`);
    renameSync(`${at}.new`, at);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Every directory of every cache mount. */
export function listCacheMounts(root: string): readonly CacheMountInfo[] {
  const { cacheMounts } = storeLayout(root);
  return namesIn(cacheMounts).flatMap((key) => {
    const dir = path.join(cacheMounts, key);
    return namesIn(dir).filter((name) => /^\d+$/.test(name)).flatMap((name) => infoOf(dir, key, name) ?? []);
  });
}

function infoOf(dir: string, key: string, name: string): CacheMountInfo | null {
  const at = path.join(dir, name);
  const made = statSync(at, { throwIfNoEntry: false });
  if (made === undefined) return null;
  const lock = tryLock(at + LOCK);
  const inUse = lock === null;
  lock?.[Symbol.dispose]();
  const lastUsedAt = statSync(at + LOCK).mtimeMs;
  return { name: `${key}/${name}`, id: idOf(dir), path: at, inUse, createdAt: made.birthtimeMs, lastUsedAt };
}

/**
 * Removes a directory by its name, unless somebody uses it now; true when it is gone. `removeTree` deletes a tree of any
 * size.
 */
export async function removeCacheMount(root: string, name: string, removeTree: (dir: string) => Promise<void>): Promise<boolean> {
  const at = path.join(storeLayout(root).cacheMounts, name);
  using lock = tryLock(at + LOCK);
  if (lock === null) return false;
  // Out of sight first: a half-removed directory must never be found by its name.
  if (existsSync(at)) renameSync(at, `${at}.new`);
  await removeTree(`${at}.new`);
  return true;
}

function idOf(dir: string): string {
  try {
    return readFileSync(path.join(dir, "id"), "utf8");
  } catch {
    return "";
  }
}

function namesIn(dir: string): readonly string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
