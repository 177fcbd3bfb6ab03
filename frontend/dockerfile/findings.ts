import type { TbuildError } from "../../cache/errors.js";
import type { Warning } from "../../solver/progress.js";
import { type CheckOptions, defaultCheck } from "./checks/options.js";

/** What was found so far in a file: filled while it is examined, and of use when that fails half way. */
export interface Findings {
  /** Set as soon as the file is parsed. */
  check: CheckOptions;
  /** Not yet chosen from: see `applyCheck`. */
  readonly warnings: Warning[];
  /** Mistakes that let the rest be looked at. */
  readonly errors: TbuildError[];
}

/** Nothing found yet. */
export function noFindings(): Findings {
  return { check: defaultCheck, warnings: [], errors: [] };
}
