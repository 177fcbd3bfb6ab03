import type { Warning } from "../solver/progress.js";
import type { Report } from "./internalStep.js";

/** Tells of warnings. */
export type Warn = (warnings: readonly Warning[]) => void;

/** Tells warnings to the build's audience; one that is equal for several platforms only the first time. */
export function warnOnce(report: Report): Warn {
  const told = new Set<string>();
  return (warnings) => {
    for (const warning of warnings) {
      const text = JSON.stringify(warning);
      if (told.has(text)) continue;
      told.add(text);
      report({ type: "warning", vertex: null, warning });
    }
  };
}
