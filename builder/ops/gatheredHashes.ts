import { lstatSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import type { HashOutcome, HashTreeInput, HashTreeOutput, Selection } from "../../cache/bulk/hashJobs.js";
import type { BulkPool } from "../../cache/bulk/pool.js";
import { cancelled, fromWire } from "../../cache/errors.js";
import type { StepOpts } from "../../solver/opRunner.js";

/** A larger file is read side by side with others. */
const MAX_SIZE = 1 << 20;

/** Whether this selects one small file, by its name; wrong only where a name has wildcards that are meant. */
export function isSmallFile(root: string, selections: readonly Selection[]): boolean {
  const [only, ...others] = selections;
  if (only === undefined || others.length > 0) return false;
  const stat = lstatSync(path.join(root, only.path), { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= MAX_SIZE;
}

/** Files of one tree whose hashes were asked for in one turn of the event loop. */
interface Gathering {
  readonly groups: (readonly Selection[])[];
  readonly signals: AbortSignal[];
  readonly outcomes: Promise<readonly HashOutcome[]>;
}

const gatherings = new WeakMap<object, Gathering>();

/**
 * The job "hashTree" for one small file of the tree `of`, which all inputs that are alike but for their selections are given with.
 * Waking a thread takes longer than hashing a small file: those that are asked for at a time share a job.
 * @throws {TbuildError} as "hashTree"
 */
export async function hashGathered(bulk: BulkPool, of: object, { selections, ...tree }: HashTreeInput, { signal }: Pick<StepOpts, "signal">): Promise<HashTreeOutput> {
  const { groups, signals, outcomes } = gatherings.get(of) ?? begin(bulk, of, tree);
  const place = groups.push(selections) - 1;
  signals.push(signal);
  const outcome = (await outcomes)[place]!;
  if (signal.aborted) throw cancelled(signal);
  if ("error" in outcome) throw fromWire(outcome.error);
  return outcome.output;
}

function begin(bulk: BulkPool, of: object, tree: Omit<HashTreeInput, "selections">): Gathering {
  const groups: Gathering["groups"] = [];
  const signals: AbortSignal[] = [];
  const run = async () => {
    await setImmediate();
    gatherings.delete(of);
    using all = allOf(signals);
    return await bulk.run("hashTrees", { ...tree, groups }, { signal: all.signal });
  };
  const gathering = { groups, signals, outcomes: run() };
  gatherings.set(of, gathering);
  return gathering;
}

/** A signal that is aborted when nobody waits any more. */
function allOf(signals: readonly AbortSignal[]): Disposable & { readonly signal: AbortSignal } {
  const all = new AbortController();
  const onAbort = () => void (signals.every(({ aborted }) => aborted) && all.abort());
  for (const signal of new Set(signals)) signal.addEventListener("abort", onAbort);
  onAbort();
  return {
    signal: all.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    },
  };
}
