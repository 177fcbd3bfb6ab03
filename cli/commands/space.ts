import type { Builder } from "../../builder/builder.js";
import { removeDangling } from "../../builder/removeDangling.js";
import { parseFilters } from "../../builder/daemon/filter.js";
import { collectGarbage } from "../../builder/gc/collect.js";
import { usageFields } from "../../builder/gc/fields.js";
import { gcPolicies, gcRules } from "../../builder/gc/rules.js";
import { collect, collectionPlan, removeLeftDownloads, type StoreRule } from "../../cache/collect.js";
import { metadataUsage } from "../../cache/metadataUsage.js";
import { diskUsage, type UsageRecord } from "../../cache/usage.js";
import { formatAge } from "../age.js";
import type { DuArgs, PruneArgs } from "../args/space.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatTable } from "../table.js";
import { explained, shortId } from "../gcReasons.js";

/** `tbuild du`: everything in the store, largest first, and the sum. */
export async function duCommand(builder: Builder, { format }: DuArgs): Promise<string> {
  const { store } = builder;
  const records = [...(await diskUsage(store)), metadataUsage(store.root)].sort((a, b) => b.size - a.size);
  if (format === "json") return `${JSON.stringify(records, null, 2)}\n`;
  const rows = records.map((record) => [
    shortId(record.id),
    record.type,
    record.inUse ? "true" : "false",
    formatBytes(record.size),
    formatAge(record.lastUsedAt, Date.now()),
  ]);
  return `${formatTable(["ID", "TYPE", "IN USE", "SIZE", "LAST USED"], rows)}${summary(records)}`;
}

function summary(records: readonly UsageRecord[]): string {
  const sum = (list: readonly UsageRecord[]) => formatBytes(list.reduce((total, { size }) => total + size, 0));
  return `\nReclaimable: ${sum(records.filter((record) => !record.inUse))}\nTotal:       ${sum(records)}\n`;
}


/** `tbuild prune`: removes what no image uses, within the limits given, or tells what it would remove. */
export async function pruneCommand(builder: Builder, args: PruneArgs, signal: AbortSignal): Promise<string> {
  const { store } = builder;
  const policies = args.gc ? gcPolicies(builder.gcConfig, store.root) : [];
  const rules = args.gc ? gcRules(policies, store.root) : rulesOf(args);
  const planned = args.explain || args.mode === "plan" ? await collectionPlan(store, rules, { dangling: args.all ? "free" : "held" }) : [];
  const told = args.explain ? explained(planned) : "";
  if (args.mode === "plan") {
    const going = planned.flatMap(({ item, verdict }) => (verdict.kind === "remove" ? [item] : []));
    return `${told}Would remove ${amount(going)}\n`;
  }
  if (args.all) await removeDangling(store);
  if (args.filters.length === 0) removeLeftDownloads(store);
  const { removed } = args.gc ? await collectGarbage(store, policies, { signal }) : await collect(store, rules, { signal });
  return `${told}Removed ${amount(removed, " freed")}\n`;
}

function amount(records: readonly UsageRecord[], verb = ""): string {
  const bytes = records.reduce((sum, { size }) => sum + size, 0);
  return `${records.length} ${records.length === 1 ? "entry" : "entries"}, ${formatBytes(bytes)}${verb}`;
}

/** What is older goes whatever the space; what is above the space goes however young it is. */
function rulesOf({ filters, keepDurationMs = 0, reservedBytes = 0, maxUsedBytes = 0, minFreeBytes = 0 }: PruneArgs): readonly StoreRule[] {
  const lets = parseFilters(filters);
  const matches = filters.length === 0 ? null : (record: UsageRecord) => lets(usageFields(record));
  const none = { matches, keepDurationMs: 0, reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 };
  const space = { ...none, reservedBytes, maxUsedBytes, minFreeBytes };
  const hasSpace = reservedBytes + maxUsedBytes + minFreeBytes > 0;
  if (!hasSpace) return [{ ...none, keepDurationMs }];
  return keepDurationMs > 0 ? [{ ...none, keepDurationMs }, space] : [space];
}
