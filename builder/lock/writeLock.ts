import { accessSync, constants, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TbuildError } from "../../cache/errors.js";
import { type Lock, tryLock } from "../../cache/sys/lock.js";
import type { SourceLock } from "./lock.js";
import { formatLock, readLock } from "./lockFile.js";

/** A file to write, and what messages call it. */
export interface LockPlace {
  /** Absolute path. */
  readonly file: string;
  readonly shown: string;
}

/** Whoever writes needs milliseconds. */
const LONGEST_WAIT_MS = 10_000;
const RETRY_MS = 10;

/** Finds out before a build that its lock can be written after it. @throws {TbuildError} not_found, permission_denied */
export function checkWritable({ file, shown }: LockPlace): void {
  const dir = path.dirname(file);
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) throw new TbuildError("not_found", `Cannot write "${shown}": no directory "${dir}"`);
  try {
    accessSync(dir, constants.W_OK);
  } catch (cause) {
    throw new TbuildError("permission_denied", `Cannot write "${shown}": ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/**
 * Changes a lock file as it is now, whoever else does so at the same time; readers see all of it or nothing. A lock without
 * a change is not written. @throws {TbuildError} as readLock; permission_denied, unavailable, resource_exhausted
 */
export async function changeLock(place: LockPlace, change: (lock: SourceLock) => SourceLock, signal: AbortSignal): Promise<void> {
  using _held = await locked(place, signal);
  const before = readLock(place.file, place.shown);
  const text = formatLock(change(before ?? []));
  if (before !== null && formatLock(before) === text) return;
  replace(place, text);
}

/** The directory is locked, so that no further file is left beside this one. */
async function locked({ file, shown }: LockPlace, signal: AbortSignal): Promise<Lock> {
  const until = Date.now() + LONGEST_WAIT_MS;
  for (;;) {
    const lock = tryLock(path.dirname(file), "exclusive", "directory");
    if (lock !== null) return lock;
    if (Date.now() > until) throw new TbuildError("unavailable", `Cannot write "${shown}": another process is writing it`);
    await delay(RETRY_MS, undefined, { signal });
  }
}

/** What a link leads to is written, not the link. */
function replace({ file, shown }: LockPlace, text: string): void {
  const target = statSync(file, { throwIfNoEntry: false }) === undefined ? file : realpathSync(file);
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}`);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, target);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    throw new TbuildError(code === "ENOSPC" ? "resource_exhausted" : "permission_denied", `Cannot write "${shown}": ${code}`, { cause });
  }
}
