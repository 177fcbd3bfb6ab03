import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { deadUsers, noteUser } from "./cacheMountUsers.js";
import { cancelled, TbuildError } from "./errors.js";
import { storeLayout } from "./layout.js";
import { removeRecord } from "./mountPack/mountRecord.js";
import type { Recovered } from "./recovery.js";
import { type Lock, type LockMode, tryLock } from "./sys/lock.js";

/** A directory that outlives the steps that use it. */
export interface CacheMountRequest {
  /** As the graph has it; see {@link displayId}. */
  readonly id: string;
  /** Digest of what it starts with; "" for nothing. Another one is another directory. */
  readonly base: string;
  readonly sharing: "shared" | "private" | "locked";
  /** Fills a new directory, which exists and is empty; it is to be `mount` when it is complete. */
  readonly fill: (dir: string, mount: string) => Promise<void>;
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

/** What a cache mount needs of its store. */
export interface CacheMountStore {
  readonly root: string;
  /** Id of this process's lease. */
  readonly lease: string;
  /** Cleans up after processes that have died. */
  recover(): Promise<readonly Recovered[]>;
}

const POLL_MS = 50;
const LOCK = ".lock";

/**
 * Gets the directory of a cache mount, which is made when there is none. `shared` ones are used by many at a time, `locked`
 * ones by one after the other, also across processes; a `private` one that is in use is left to its user for another
 * directory. Locks end with the process that holds them, once what it ran in there has been ended too.
 * @throws {TbuildError} cancelled, unavailable
 */
export async function openCacheMount(store: CacheMountStore, request: CacheMountRequest): Promise<CacheMount> {
  const dir = path.join(storeLayout(store.root).cacheMounts, cacheMountKey(request));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (idOf(dir) !== request.id) writeFileSync(path.join(dir, "id"), request.id);
  if (request.sharing === "private") return await firstFree(store, dir, request);
  return await waitFor(store, path.join(dir, "0"), request);
}

/** What a cache mount is known by in every store: equal keys are one mount. */
export function cacheMountKey({ id, base }: Pick<CacheMountRequest, "id" | "base">): string {
  return createHash("sha256").update(JSON.stringify(["tbuild.cachemount.v1", id, base])).digest("hex");
}

async function firstFree(store: CacheMountStore, dir: string, request: CacheMountRequest): Promise<CacheMount> {
  for (let number = 0; ; number++) {
    const mount = await tryOpen(store, path.join(dir, String(number)), request);
    if (mount !== null) return mount;
  }
}

async function waitFor(store: CacheMountStore, at: string, request: CacheMountRequest): Promise<CacheMount> {
  for (let told = false; ; ) {
    const mount = await tryOpen(store, at, request);
    if (mount !== null) return mount;
    // While it is being made there is nothing to tell.
    if (!told && existsSync(at)) {
      request.onWait();
      told = true;
    }
    await delay(POLL_MS);
    if (request.signal.aborted) throw cancelled(request.signal);
  }
}

async function tryOpen(store: CacheMountStore, at: string, request: CacheMountRequest): Promise<CacheMount | null> {
  await tryMake(at, request);
  const mode = request.sharing === "shared" ? "shared" : "exclusive";
  const lock = tryLock(at + LOCK, mode);
  if (lock === null) return null;
  const dead = deadUsers(store.root, at, mode);
  // Without both it may have been pruned since it was made.
  if (dead.length === 0 && existsSync(at)) return usedMount(store, at, lock, mode);
  lock[Symbol.dispose]();
  if (dead.length > 0) await endUsers(store, dead, request);
  return null;
}

function usedMount({ lease }: CacheMountStore, at: string, lock: Lock, mode: LockMode): CacheMount {
  const note = noteUser(at, lease, mode);
  const now = new Date();
  utimesSync(lock.path, now, now);
  return {
    path: at,
    [Symbol.dispose]() {
      note[Symbol.dispose]();
      lock[Symbol.dispose]();
    },
  };
}

/** Ends what dead processes left running; a process that is just dying may still hold its lease, and is left for later. */
async function endUsers(store: CacheMountStore, leases: readonly string[], { id }: CacheMountRequest): Promise<void> {
  for (const recovered of await store.recover()) {
    if (recovered.state === "cleaned" || !leases.includes(recovered.lease)) continue;
    const message = `Cannot use the cache mount "${displayId(id)}": a killed build still runs in it and cannot be cleaned up`;
    throw new TbuildError("unavailable", message, { cause: recovered.error });
  }
}

/** A directory is made by one who has it alone, and found by its name when it is complete. */
async function tryMake(at: string, { fill }: CacheMountRequest): Promise<void> {
  if (existsSync(at)) return;
  using lock = tryLock(at + LOCK);
  if (lock === null || existsSync(at)) return;
  // What a killed process had begun.
  rmSync(`${at}.new`, { recursive: true, force: true });
  mkdirSync(`${at}.new`);
  chmodSync(`${at}.new`, 0o755);
  await fill(`${at}.new`, at);
  renameSync(`${at}.new`, at);
}

/**
 * Locks a directory by its name without using it: nobody begins to use it against `mode` meanwhile. Null when somebody does, or when
 * there is none any more.
 */
export function lockCacheMount(root: string, name: string, mode: LockMode): Lock | null {
  const at = path.join(storeLayout(root).cacheMounts, name);
  if (!existsSync(at)) return null;
  const lock = tryLock(at + LOCK, mode);
  if (lock !== null && existsSync(at) && deadUsers(root, at, mode).length === 0) return lock;
  lock?.[Symbol.dispose]();
  return null;
}

/** Every directory of every cache mount, also one whose making or removal a kill has interrupted. */
export function listCacheMounts(root: string): readonly CacheMountInfo[] {
  const { cacheMounts } = storeLayout(root);
  return namesIn(cacheMounts).flatMap((key) => {
    const dir = path.join(cacheMounts, key);
    const numbers = new Set(namesIn(dir).flatMap((name) => /^(\d+)(?:\.new)?$/.exec(name)?.[1] ?? []));
    return [...numbers].flatMap((number) => infoOf(root, `${key}/${number}`) ?? []);
  });
}

function infoOf(root: string, name: string): CacheMountInfo | null {
  const at = path.join(storeLayout(root).cacheMounts, name);
  const found = existsSync(at) ? at : `${at}.new`;
  const made = statSync(found, { throwIfNoEntry: false });
  if (made === undefined) return null;
  const lock = tryAlone(root, at);
  const inUse = lock === null;
  lock?.[Symbol.dispose]();
  const lastUsedAt = statSync(at + LOCK).mtimeMs;
  return { name, id: displayId(idOf(path.dirname(at))), path: found, inUse, createdAt: made.birthtimeMs, lastUsedAt };
}

/** The lock of a directory that nobody uses, neither a living process nor what a dead one has left running. */
function tryAlone(root: string, at: string): Lock | null {
  const lock = tryLock(at + LOCK);
  if (lock === null || deadUsers(root, at, "exclusive").length === 0) return lock;
  lock[Symbol.dispose]();
  return null;
}

/**
 * Removes a directory by its name, unless somebody uses it now; true when it is gone. `removeTree` deletes a tree of any
 * size.
 */
export async function removeCacheMount(root: string, name: string, removeTree: (dir: string) => Promise<void>): Promise<boolean> {
  const at = path.join(storeLayout(root).cacheMounts, name);
  using lock = tryAlone(root, at);
  if (lock === null) return false;
  // Out of sight first: a half-removed directory must never be found by its name.
  if (existsSync(at)) renameSync(at, `${at}.new`);
  removeRecord(at);
  await removeTree(`${at}.new`);
  return true;
}

/** The frontend puts a namespace, which is mostly empty, and a slash before what the user wrote. */
export function displayId(id: string): string {
  return id.replace(/^\//, "");
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
