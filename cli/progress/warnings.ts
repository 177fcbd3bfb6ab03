import type { Warning } from "../../solver/progress.js";
import { printable } from "./format.js";

/** The warnings of a build, each once, for its end: rule, place and message; "" when there are none. */
export function warningSummary(warnings: readonly Warning[]): string {
  const lines = [...new Set(warnings.map((warning) => ` - ${printable(summaryLine(warning))}\n`))];
  return lines.length === 0 ? "" : `\n${lines.length} ${lines.length === 1 ? "warning" : "warnings"}:\n${lines.join("")}`;
}

function summaryLine({ rule, message, at }: Warning): string {
  const place = at === null ? [] : [`${at.file}:${at.start.line}:${at.start.column}`];
  return [...(rule === null ? [] : [rule]), ...place, message].join(": ");
}
