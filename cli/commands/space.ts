import type { Builder } from "../../builder/builder.js";
import { isDangling } from "../../cache/images.js";
import { prune } from "../../cache/prune.js";
import { diskUsage, type UsageRecord } from "../../cache/usage.js";
import { formatAge, parseDuration, parseSize } from "../age.js";
import { type OtherArgs, usage } from "../args.js";
import { formatBytes } from "../progress/format.js";
import { formatTable } from "../table.js";

/** `tbuild du`: everything in the store, largest first, and the sum. */
export async function duCommand(builder: Builder, args: OtherArgs): Promise<string> {
  const records = [...(await diskUsage(builder.store))].sort((a, b) => b.size - a.size);
  if (args.options["format"] === "json") return `${JSON.stringify(records, null, 2)}\n`;
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
  return id.replace(/^(?:snapshot|blob):/, "").replace("sha256:", "").slice(0, 24);
}

/** `tbuild prune`: removes what no image uses, within the limits given. @throws {TbuildError} usage */
export async function pruneCommand(builder: Builder, args: OtherArgs): Promise<string> {
  const maxUsed = limit(args, "max-used-space", parseSize, "a size such as 10GB");
  const keep = limit(args, "keep-duration", parseDuration, "a duration such as 48h");
  if (args.options["all"] === true) await removeDangling(builder);
  const { removed, freedBytes } = await prune(builder.store, {
    maxUsedBytes: maxUsed,
    keepDurationMs: keep,
  });
  return `Removed ${removed.length} ${removed.length === 1 ? "entry" : "entries"}, ${formatBytes(freedBytes)} freed\n`;
}

async function removeDangling(builder: Builder): Promise<void> {
  for (const record of builder.store.images.list()) if (isDangling(record)) await builder.store.images.remove(record.name);
}

function limit(args: OtherArgs, name: string, parse: (text: string) => number | null, form: string): number | undefined {
  const text = args.options[name];
  if (typeof text !== "string") return undefined;
  const value = parse(text);
  if (value === null) throw usage(`Cannot read --${name} "${text}"`, `Write --${name} with ${form}`);
  return value;
}
