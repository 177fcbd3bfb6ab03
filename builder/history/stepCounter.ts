import type { StepCounts } from "../../cache/meta/records.js";
import type { StatusInput } from "../api/status.js";

/** Counts the steps that messages tell of. */
export interface StepCounter {
  add(message: StatusInput): void;
  counts(): StepCounts;
}

/** Nothing counted yet. */
export function stepCounter(): StepCounter {
  const seen = new Set<string>();
  const completed = new Set<string>();
  const cached = new Set<string>();
  let warnings = 0;
  return {
    add({ vertexes = [], warnings: told = [] }) {
      warnings += told.length;
      for (const { digest = "", completed: at, cached: hit } of vertexes) {
        seen.add(digest);
        if (at !== null && at !== undefined) completed.add(digest);
        if (hit === true) cached.add(digest);
      }
    },
    counts: () => ({ total: seen.size, completed: completed.size, cached: cached.size, warnings }),
  };
}
