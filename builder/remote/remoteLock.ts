import { isTbuildError, TbuildError } from "../../cache/errors.js";
import { checkPolicy } from "../api/policySession.js";
import type { Report } from "../internalStep.js";
import { aboutLock, type BuildLock, openBuildLock, writeAdded } from "../lock/buildLock.js";
import { isPin, type LockEntry, type LockName, lockName } from "../lock/lock.js";
import { type LockBook, lockBook, notLocked, pinnedSource } from "../lock/lockPolicy.js";
import { lockRules } from "../lock/lockRules.js";
import type { SourceRules } from "../policy/policy.js";
import type { BuildRequest } from "../request.js";
import { answers, type Offers } from "./session/serveSession.js";

/** What a build on a builder does with its lock. */
export interface RemoteLock {
  /** What the builder keeps to by itself. */
  readonly rules: Pick<BuildRequest, "sourcePolicies">;
  /** What it asks this process about each source; empty when it need not. */
  readonly policy: Offers;
  /** Runs the build, whose errors are told as those of a build of this process. */
  guarded<T>(work: () => Promise<T>): Promise<T>;
  /** Called when the build has succeeded. @throws {TbuildError} as changeLock */
  finish(step: { readonly report: Report; readonly signal: AbortSignal }): Promise<void>;
}

/** The lock of a request. @throws {TbuildError} as openBuildLock; unsupported */
export function remoteLock(request: BuildRequest): RemoteLock {
  const known = openBuildLock(request);
  const { sourcePolicies = [] } = request;
  if (known === null) return { rules: { sourcePolicies }, policy: {}, guarded: (work) => work(), finish: async () => {} };
  checkLockable(request);
  const book = lockBook(known.lock ?? []);
  return {
    rules: { sourcePolicies: known.mode === "record" ? sourcePolicies : [withUploads(lockRules(known.lock ?? []))] },
    policy: known.mode === "record" ? recordOffers(book) : {},
    async guarded(work) {
      try {
        return await work();
      } catch (error) {
        throw known.mode === "require" ? denied(error, known) : aboutLock(error, known);
      }
    },
    finish: (step) => writeAdded(known, book.added(), step),
  };
}

/** @throws {TbuildError} unsupported for what a builder would not keep to */
function checkLockable({ dockerfile = "", lock, sourcePolicies = [] }: BuildRequest): void {
  if (/^https?:\/\//i.test(dockerfile)) {
    throw new TbuildError("unsupported", "Cannot lock a Dockerfile that is downloaded for a builder elsewhere, or for another frontend", { hint: "Download it first, and name the file" });
  }
  if (lock?.mode === "require" && sourcePolicies.length > 0) {
    throw new TbuildError("unsupported", "Cannot keep to a lock and a source policy at once: builders elsewhere and other frontends are told one policy", { hint: "Leave one of them away" });
  }
}

/** What is piped in, a builder reads of this machine. Source: BuildKit, session/upload. */
const UPLOADS = "http://buildkit-session/";

function withUploads({ rules }: SourceRules): SourceRules {
  return { rules: [...rules, { selector: { identifier: `${UPLOADS}*`, match: "wildcard", constraints: [] }, action: { kind: "allow" } }] };
}

/** tbuildd's words, and BuildKit's. */
const DENIED = /^Cannot use "([^"]+)": the source policy denies it$|source "([^"]+)" denied by policy/;

function denied(error: unknown, known: BuildLock): unknown {
  if (!isTbuildError(error)) return error;
  const [, own, buildkits] = DENIED.exec(error.message) ?? [];
  const identifier = own ?? buildkits;
  if (identifier === undefined) return aboutLock(error, known);
  const { code, message, hint } = notLocked({ identifier, attrs: {} }, known.place.shown);
  const others = error.others.map((one) => denied(one, known) as TbuildError);
  return new TbuildError(code, message, { hint, at: error.at, cause: error, others });
}

const [ALLOW, CONVERT] = [0, 2];

type Told = NonNullable<ReturnType<typeof checkPolicy.request.decode>["source"]>;

/** The builder says what names stand for, where it is: it may have other registries, and is who reads them. */
function recordOffers(book: LockBook): Offers {
  return answers(checkPolicy, ({ source: told, platform }) => {
    if (told?.source == null) throw new TbuildError("invalid_argument", "Cannot decide about a source that is not named");
    const source = { ...told.source, platform };
    const name = source.identifier.startsWith(UPLOADS) ? null : lockName(source);
    if (name === null) return { decision: { action: ALLOW } };
    const entry = book.find(name) ?? noted(book, name, told);
    if (entry === null) return { request: { source: told.source, platform, resolveMode: "pull" } };
    const { identifier, attrs } = pinnedSource(source, entry);
    return { decision: { action: CONVERT, update: { kind: "source" as const, identifier, attrs } } };
  });
}

/** Null before the builder was asked what the source is. Of an image it tells the index, whatever the platform. @throws {TbuildError} unavailable */
function noted(book: LockBook, name: LockName, { image, git, http }: Told): LockEntry | null {
  if (image === null && git === null && http === null) return null;
  const pin = image?.digest || git?.commitChecksum || git?.checksum || http?.checksum;
  if (pin === undefined || !isPin(name.kind, pin)) throw new TbuildError("unavailable", `Cannot lock "${name.name}": the builder does not say what it is`);
  return book.note({ ...name, pin });
}
