import { constants } from "node:os";

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** Signal that an exit status of 128 + n stands for, as runtimes and shells report it. */
export function exitStatus(exitCode: number): { readonly signal: string | null } {
  return { signal: exitCode > 128 ? (SIGNAL_NAMES.get(exitCode - 128) ?? null) : null };
}
