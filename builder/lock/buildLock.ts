import { isTbuildError, TbuildError } from "../../cache/errors.js";
import { internalStep, type Report } from "../internalStep.js";
import type { SourcePolicy } from "../policy/policy.js";
import type { BuildRequest } from "../request.js";
import { type SourceLock, withEntries } from "./lock.js";
import { LOCK_FILE, readLock } from "./lockFile.js";
import { lockPlace } from "./lockPlace.js";
import { type FindPin, lockBook, lockedPolicy, recordingPolicy } from "./lockPolicy.js";
import { familiarName } from "./matchName.js";
import { changeLock, checkWritable, type LockPlace } from "./writeLock.js";

/** The lock of one build. */
export interface BuildLock {
  readonly mode: "record" | "require";
  /** Null when there is no file yet. */
  readonly lock: SourceLock | null;
  readonly place: LockPlace;
}

/** Reads the lock that a request names; null when it names none. @throws {TbuildError} as readLock and lockPlace; not_found */
export function openBuildLock(request: Pick<BuildRequest, "context" | "dockerfile" | "lock">): BuildLock | null {
  if (request.lock === undefined) return null;
  const { mode } = request.lock;
  const place = lockPlace(request);
  if (mode === "record") checkWritable(place);
  const lock = readLock(place.file, place.shown);
  if (lock === null && mode === "require") throw new TbuildError("not_found", `Cannot read "${place.shown}": no such file`, { hint: `Run once with --lock, which writes ${LOCK_FILE}` });
  return { mode, lock, place };
}

/** What a build does with its lock. */
export interface LockInUse {
  /** What the lock makes of a source. */
  readonly policy: SourcePolicy;
  /** Called when the build has succeeded. @throws {TbuildError} as changeLock */
  finish(): Promise<void>;
}

/** Puts a lock to use. `find` is asked about names that it does not have yet. */
export function useLock(known: BuildLock, find: FindPin, step: StepParts): LockInUse {
  const { mode, lock, place } = known;
  if (mode === "require") return { policy: lockedPolicy(lock ?? [], place.shown), finish: async () => {} };
  const book = lockBook(lock ?? []);
  return { policy: recordingPolicy(book, find, step), finish: () => writeAdded(known, book.added(), step) };
}

type StepParts = { readonly report: Report; readonly signal: AbortSignal };

/** Adds what a build has found out to its lock. @throws {TbuildError} as changeLock */
export async function writeAdded({ lock, place }: BuildLock, added: SourceLock, { report, signal }: StepParts): Promise<void> {
  if (lock !== null && added.length === 0) return;
  const more = added.length === 1 ? "1 source" : `${added.length} sources`;
  // Whoever was first with a name has it; entries that this build did not need may be another's.
  const change = (now: SourceLock) => withEntries(added, now);
  await internalStep(report, `[internal] add ${more} to ${place.shown}`, signal, () => changeLock(place, change, signal));
}

/** The error of a build. One about something that is not there as the lock has it says how to move the entry. */
export function aboutLock(error: unknown, known: BuildLock | null): unknown {
  if (!isTbuildError(error)) return error;
  const { code, message, hint, at, process, others } = error;
  const entry = known?.lock?.find(({ pin }) => message.includes(pin));
  if (entry === undefined) return error;
  const move = `tbuild lock update ${familiarName(entry)} takes what is there now`;
  return new TbuildError(code, message, { hint: hint === undefined ? move : `${hint}; ${move}`, at, process, others, cause: error });
}
