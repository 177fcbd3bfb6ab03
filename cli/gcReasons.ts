import { formatBytes } from "../cache/formatBytes.js";
import type { Verdict } from "../cache/gc.js";
import type { RuledDecision } from "../cache/gcRules.js";
import type { UsageRecord } from "../cache/usage.js";
import { formatAge } from "./age.js";
import { formatTable } from "./table.js";

/** A table of what becomes of everything and why, what goes first. */
export function explained(decisions: readonly RuledDecision<UsageRecord>[], now = Date.now()): string {
  const rows = decisions.map(({ item, rule, verdict }) => {
    const { id, type, size, description } = item;
    const decision = verdict.kind === "remove" ? "goes" : "stays";
    return [shortId(id), type, formatBytes(size), decision, `${reason(item, verdict, now)}${byRule(verdict, rule)}`, description];
  });
  return `${formatTable(["ID", "TYPE", "SIZE", "DECISION", "WHY", "DESCRIPTION"], rows)}\n`;
}

/** How a record is called where there is little room. */
export function shortId(id: string): string {
  return id.replace(/^(?:snapshot|blob|localcopy):/, "").replace("sha256:", "").slice(0, 24);
}

function byRule({ kind }: Verdict, rule: number): string {
  return kind === "remove" || kind === "young" || kind === "within-limit" ? ` (rule ${rule + 1})` : "";
}

function reason({ type, lastUsedAt }: UsageRecord, verdict: Verdict, now: number): string {
  switch (verdict.kind) {
    case "remove":
      return `last used ${formatAge(now - verdict.idleMs, now)}`;
    case "in-use":
      return type === "internal" ? "the store needs it" : type === "image" ? "layer of an image" : "in use by an image, a build or its record";
    case "needed":
      return `needed by ${shortId(verdict.by)}`;
    case "not-meant":
      return "no rule is about it";
    case "young":
      return `used ${formatAge(Math.max(lastUsedAt, now - verdict.idleMs), now)}, not long enough ago`;
    case "within-limit":
      return "within the limit by then";
  }
}
