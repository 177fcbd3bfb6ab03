import type { ContextEntry } from "../builder/contextList.js";

/** How much of one directory, or of all, a build reads and leaves out. */
export interface Totals {
  /** A directory at the top of the context with "/" behind it, "./" for files there, or "" for everything. */
  readonly directory: string;
  readonly read: Amount;
  readonly excluded: Amount;
  readonly unused: Amount;
}

/** Bytes, and files. */
export interface Amount {
  size: number;
  files: number;
}

/** Sums by top-level directory, in the order of their names with the largest reads first, and of all. */
export function contextTotals(entries: readonly ContextEntry[]): { readonly directories: readonly Totals[]; readonly total: Totals } {
  const total = emptyTotals("");
  const directories = new Map<string, Totals>();
  for (const entry of entries) {
    const slash = entry.path.indexOf("/");
    const directory = slash < 0 ? "./" : entry.path.slice(0, slash + 1);
    const known = directories.get(directory) ?? emptyTotals(directory);
    directories.set(directory, known);
    for (const { [entry.state]: amount } of [known, total]) {
      amount.size += entry.size;
      amount.files += entry.files;
    }
  }
  return { directories: [...directories.values()].sort((a, b) => b.read.size - a.read.size), total };
}

function emptyTotals(directory: string): Totals {
  const amount = (): Amount => ({ size: 0, files: 0 });
  return { directory, read: amount(), excluded: amount(), unused: amount() };
}
