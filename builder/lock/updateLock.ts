import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { internalStep, type Report } from "../internalStep.js";
import type { SecretSpec, SshSpec } from "../request.js";
import type { BuildParts } from "../run.js";
import { givenTo } from "../secrets/given.js";
import { nameIn } from "../textFile.js";
import { findPin } from "./findPin.js";
import { type LockEntry, type LockName, type SourceLock, withEntries } from "./lock.js";
import { LOCK_FILE, readLock } from "./lockFile.js";
import { chooseEntries } from "./matchName.js";
import { changeLock, checkWritable, type LockPlace } from "./writeLock.js";

/** What `tbuild lock update` does. */
export interface LockUpdateRequest {
  /** Path; default `tbuild.lock` of the working directory. */
  readonly file?: string | undefined;
  /** Entries to move, "nginx" or "nginx:1.27", URLs; default all. */
  readonly names?: readonly string[] | undefined;
  /** "plan" writes nothing. */
  readonly mode?: "write" | "plan" | undefined;
  /** For repositories and files that not everybody may read. */
  readonly secrets?: readonly SecretSpec[] | undefined;
  readonly ssh?: readonly SshSpec[] | undefined;
}

/** An entry that was looked at. */
export interface LockChange extends LockName {
  readonly from: string;
  /** Equal to `from` when nothing has changed. */
  readonly to: string;
}

/** The lock file of a command. */
export function lockFileOf(file: string = LOCK_FILE): LockPlace {
  const absolute = path.resolve(file);
  return { file: absolute, shown: nameIn(process.cwd(), absolute) };
}

/** The entries of a lock file that is there. @throws {TbuildError} not_found, and as readLock */
export function existingLock({ file, shown }: LockPlace): SourceLock {
  const lock = readLock(file, shown);
  if (lock !== null) return lock;
  throw new TbuildError("not_found", `Cannot read "${shown}": no such file`, { hint: "Write it with tbuild --lock ., or name it with --lockfile PATH" });
}

/**
 * Finds out anew what names stand for; nothing is built. Either all of them change, or an error leaves the file as it was.
 * @throws {TbuildError} not_found, unauthorized, unavailable, and as readLock
 */
export async function updateLock(parts: BuildParts, request: LockUpdateRequest, report: Report, signal: AbortSignal): Promise<readonly LockChange[]> {
  const { names = [], mode = "write", secrets, ssh } = request;
  const place = lockFileOf(request.file);
  const lock = existingLock(place);
  if (mode === "write") checkWritable(place);
  const chosen = names.length === 0 ? lock : chooseEntries(lock, names, place.shown);
  const given = givenTo({ context: ".", secrets, ssh });
  using remote = parts.remote({ pull: true });
  const deps = { store: parts.store, remote, ...given };
  const find = (entry: LockEntry) => internalStep(report, `[internal] lock ${entry.name}`, signal, (opts) => findPin(deps, entry, opts));
  const changes = await Promise.all(chosen.map(async ({ pin, ...name }): Promise<LockChange> => ({ ...name, from: pin, to: await find({ ...name, pin }) })));
  const moved = changes.filter(({ from, to }) => from !== to).map(({ kind, name, to }) => ({ kind, name, pin: to }));
  if (mode === "write" && moved.length > 0) await changeLock(place, (now) => withEntries(now, moved), signal);
  return changes;
}

/** Removes entries; returns them. @throws {TbuildError} not_found, and as changeLock */
export async function removeEntries(place: LockPlace, names: readonly string[], signal: AbortSignal): Promise<SourceLock> {
  existingLock(place);
  let removed: SourceLock = [];
  await changeLock(place, (now) => {
    removed = chooseEntries(now, names, place.shown);
    return now.filter((entry) => !removed.includes(entry));
  }, signal);
  return removed;
}
