import { isTbuildError } from "../../cache/errors.js";
import type { Warning } from "../../solver/progress.js";

/** The warning that a cache did not do what it was asked for. */
export function cacheWarning(what: string, error: unknown): Warning {
  const why = error instanceof Error ? error.message : String(error);
  const detail = isTbuildError(error) ? (error.hint ?? "") : "";
  return { rule: null, message: `${what}: ${why}`, detail, url: null, at: null };
}
