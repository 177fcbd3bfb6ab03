import type { Builder } from "../../builder/builder.js";
import { removeDangling } from "../../builder/removeDangling.js";
import { prune } from "../../cache/prune.js";
import { diskUsage, type UsageRecord } from "../../cache/usage.js";
import { formatAge } from "../age.js";
import type { DuArgs, PruneArgs } from "../args/space.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatTable } from "../table.js";

/** `tbuild du`: everything in the store, largest first, and the sum. */
export async function duCommand(builder: Builder, { format }: DuArgs): Promise<string> {
  const records = [...(await diskUsage(builder.store))].sort((a, b) => b.size - a.size);
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

function shortId(id: string): string {
  return id.replace(/^(?:snapshot|blob|localcopy):/, "").replace("sha256:", "").slice(0, 24);
}

/** `tbuild prune`: removes what no image uses, within the limits given. */
export async function pruneCommand(builder: Builder, args: PruneArgs, signal: AbortSignal): Promise<string> {
  if (args.all) await removeDangling(builder.store);
  const { maxUsedBytes, keepDurationMs } = args;
  const { removed, freedBytes } = await prune(builder.store, { maxUsedBytes, keepDurationMs, signal });
  return `Removed ${removed.length} ${removed.length === 1 ? "entry" : "entries"}, ${formatBytes(freedBytes)} freed\n`;
}
