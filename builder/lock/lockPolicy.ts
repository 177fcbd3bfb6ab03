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
function notLocked(source: PolicySource, shown: string): TbuildError {
  const name = lockName(source)?.name ?? source.identifier;
  return new TbuildError("not_found", `Cannot use "${name}": ${shown} has no entry for it`, { hint: "Run once with --lock instead of --locked, and look at what it adds" });
}

/** A policy that finds out what the lock does not know yet. */
export interface LockRecorder {
  readonly policy: SourcePolicy;
  /** What was found out. */
  readonly added: () => readonly LockEntry[];
}

/** How {@link recorder} finds out what a name stands for. */
export type FindPin = (name: LockName, opts: StepOpts) => Promise<string>;

/** Names are what the lock says, or else what they stand for when they are first asked about, on all platforms. */
export function recorder(lock: SourceLock, find: FindPin, { report, signal }: { readonly report: Report; readonly signal: AbortSignal }): LockRecorder {
  const found = new Map<string, Promise<LockEntry>>();
  const added: LockEntry[] = [];
  const findOnce = (name: LockName): Promise<LockEntry> => {
    const key = `${name.kind} ${name.name}`;
    const answer = found.get(key) ?? add(name);
    found.set(key, answer);
    answer.catch(() => void found.delete(key));
    return answer;
  };
  const add = async (name: LockName): Promise<LockEntry> => {
    const entry = { ...name, pin: await internalStep(report, `[internal] lock ${name.name}`, signal, (opts) => find(name, opts)) };
    added.push(entry);
    return entry;
  };
  return {
    added: () => added,
    async policy(source) {
      const name = lockName(source);
      if (name === null) return source;
      return evaluateRules([lockRules([findEntry(lock, name) ?? (await findOnce(name))])], source);
    },
  };
}
