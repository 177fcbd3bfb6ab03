import { hasCode, TbuildError } from "../../cache/errors.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { internalStep, type Report } from "../internalStep.js";
import { evaluateRules } from "../policy/evaluate.js";
import type { PolicySource, SourcePolicy } from "../policy/policy.js";
import { findEntry, type LockEntry, type LockName, lockName, type SourceLock } from "./lock.js";
import { lockRules } from "./lockRules.js";

/** The policy of a build that may read nothing but what its lock names. `shown` is the lock's file. */
export function lockedPolicy(lock: SourceLock, shown: string): SourcePolicy {
  const rules = [lockRules(lock)];
  return async (source) => {
    try {
      return evaluateRules(rules, source);
    } catch (error) {
      throw hasCode(error, "permission_denied") ? notLocked(source, shown) : error;
    }
  };
}

/** What stops a build with `--locked`. */
export function notLocked(source: Pick<PolicySource, "identifier" | "attrs">, shown: string): TbuildError {
  const name = lockName({ ...source, platform: null })?.name ?? source.identifier;
  return new TbuildError("not_found", `Cannot use "${name}": ${shown} has no entry for it`, { hint: "Run once with --lock instead of --locked, and look at what it adds" });
}

/** The entries that a build goes by: those of its lock, and those that it has found out itself. */
export interface LockBook {
  find(name: LockName): LockEntry | undefined;
  /** Adds an entry, unless its name has one: whoever asks twice is told the same. Returns the one that counts. */
  note(entry: LockEntry): LockEntry;
  /** What was found out. */
  readonly added: () => readonly LockEntry[];
}

/** See {@link LockBook}. */
export function lockBook(lock: SourceLock): LockBook {
  const added: LockEntry[] = [];
  const find: LockBook["find"] = (name) => findEntry(lock, name) ?? findEntry(added, name);
  return {
    find,
    note(entry) {
      const known = find(entry);
      if (known === undefined) added.push(entry);
      return known ?? entry;
    },
    added: () => added,
  };
}

/** What is read instead of a source whose entry is this. */
export function pinnedSource(source: PolicySource, entry: LockEntry): PolicySource {
  return evaluateRules([lockRules([entry])], source);
}

/** How {@link recordingPolicy} finds out what a name stands for. */
export type FindPin = (name: LockName, opts: StepOpts) => Promise<string>;

/** The policy of a build that adds to its lock: names are what the book says, or else what they stand for when they are first asked about, on all platforms. */
export function recordingPolicy(book: LockBook, find: FindPin, { report, signal }: { readonly report: Report; readonly signal: AbortSignal }): SourcePolicy {
  const asked = new Map<string, Promise<LockEntry>>();
  const ask = async (name: LockName): Promise<LockEntry> =>
    book.note({ ...name, pin: await internalStep(report, `[internal] lock ${name.name}`, signal, (opts) => find(name, opts)) });
  return async (source) => {
    const name = lockName(source);
    if (name === null) return source;
    const known = book.find(name);
    if (known !== undefined) return pinnedSource(source, known);
    const key = `${name.kind} ${name.name}`;
    const answer = asked.get(key) ?? ask(name);
    asked.set(key, answer);
    answer.catch(() => void asked.delete(key));
    return pinnedSource(source, await answer);
  };
}
