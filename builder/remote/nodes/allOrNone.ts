import { setMaxListeners } from "node:events";
import type { Opts } from "../../../cache/content/store.js";

/**
 * Runs all at once. The first that fails cancels the others, and its error is that of all, once none of them works any more.
 * @throws what the first that failed has thrown
 */
export async function allOrNone<T>(works: readonly ((opts: { readonly signal: AbortSignal }) => Promise<T>)[], { signal }: Opts): Promise<readonly T[]> {
  const abort = new AbortController();
  const either = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
  setMaxListeners(0, either);
  const failures: unknown[] = [];
  const results: T[] = [];
  const run = async (work: (typeof works)[number], index: number): Promise<void> => {
    try {
      results[index] = await work({ signal: either });
    } catch (error) {
      failures.push(error);
      abort.abort();
    }
  };
  await Promise.all(works.map(run));
  if (failures.length > 0) throw failures[0];
  return results;
}
