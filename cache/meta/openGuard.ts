import { setTimeout as delay } from "node:timers/promises";
import { type Lock, type LockMode, tryLock } from "../sys/lock.js";

// Who opens an lmdb environment sets the number of its last transaction, which all processes share, to the one that it has
// read from the file a moment before, with no lock held (mdb_env_open2 of lmdb 2.8 to 3.5): what another process commits in
// between is undone, and its pages are given away again. So nobody opens an environment while anybody writes to it.

const RETRY_MS = 1;

/** Runs `open`, which opens the environment at `path`, while no process writes to it. */
export async function whileNobodyWrites<T>(path: string, open: () => T): Promise<T> {
  using _gate = await lockOf(gateOf(path), "exclusive");
  using _writers = await lockOf(writersOf(path), "exclusive");
  return open();
}

/** {@link whileNobodyWrites}, for a worker thread: it blocks. */
export function whileNobodyWritesSync<T>(path: string, open: () => T): T {
  using _gate = lockOfSync(gateOf(path), "exclusive");
  using _writers = lockOfSync(writersOf(path), "exclusive");
  return open();
}

/** Runs `write`, which resolves when its transaction is committed, while no process opens the environment at `path`. */
export async function whileNobodyOpens<T>(path: string, write: () => Promise<T>): Promise<T> {
  using _writer = enter(path) ?? (await enterLater(path));
  return await write();
}

/** {@link whileNobodyOpens}, for a worker thread: it blocks. */
export function whileNobodyOpensSync<T>(path: string, write: () => T): T {
  using _writer = enterSync(path);
  return write();
}

/** Writes of this thread that are under way at one time share a place. */
interface Place {
  readonly lock: Lock;
  readonly since: number;
  writes: number;
}

// A lock takes 50 µs, and builds write a thousand small things.
const places = new Map<string, Place>();

/** So long new writes may join, so that one who waits to open is not kept out for ever. */
const JOIN_MS = 10;

function enter(path: string): Disposable | null {
  const taken = places.get(path);
  const place = taken !== undefined && performance.now() - taken.since < JOIN_MS ? taken : newPlace(path);
  if (place === null) return null;
  place.writes++;
  return { [Symbol.dispose]: () => leave(path, place) };
}

/** The gate comes first, so that one who waits to open is not kept out by writers that come later. */
function newPlace(path: string): Place | null {
  using gate = tryLock(gateOf(path), "shared");
  const lock = gate === null ? null : tryLock(writersOf(path), "shared");
  if (lock === null) return null;
  const place = { lock, since: performance.now(), writes: 0 };
  places.set(path, place);
  return place;
}

function leave(path: string, place: Place): void {
  if (--place.writes > 0) return;
  place.lock[Symbol.dispose]();
  if (places.get(path) === place) places.delete(path);
}

async function enterLater(path: string): Promise<Disposable> {
  for (;;) {
    await delay(RETRY_MS);
    const writer = enter(path);
    if (writer !== null) return writer;
  }
}

function enterSync(path: string): Disposable {
  for (;;) {
    const writer = enter(path);
    if (writer !== null) return writer;
    sleepSync();
  }
}

async function lockOf(file: string, mode: LockMode): Promise<Lock> {
  for (;;) {
    const lock = tryLock(file, mode);
    if (lock !== null) return lock;
    await delay(RETRY_MS);
  }
}

function lockOfSync(file: string, mode: LockMode): Lock {
  for (;;) {
    const lock = tryLock(file, mode);
    if (lock !== null) return lock;
    sleepSync();
  }
}

function sleepSync(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}

function gateOf(path: string): string {
  return `${path}-open`;
}

function writersOf(path: string): string {
  return `${path}-write`;
}
