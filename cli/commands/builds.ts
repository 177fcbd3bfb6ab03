import { builderPlace } from "../../builder/remote/place.js";
import { type BuildHistoryRecord, openHistory, type RemoteHistory } from "../../builder/remote/remoteHistory.js";
import { formatAge } from "../age.js";
import type { HistoryArgs } from "../args/history.js";
import { chosenNode } from "../builders/choose.js";
import { formatSeconds, printable } from "../progress/format.js";
import { progressMode, showProgress } from "../progress/mode.js";
import { formatTable } from "../table.js";
import type { Terminal } from "../terminal.js";
import { usage } from "../usage.js";

/** `tbuild history`: what a builder remembers of its builds. Returns what goes to stdout. @throws {TbuildError} */
export async function historyCommand(args: HistoryArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const node = chosenNode(args);
  if (node === null) throw usage("Builds of this process leave no history", "Name a builder with --builder or $TBUILD_HOST");
  using history = await openHistory(builderPlace(node.address, node.tls ?? {}), { signal });
  const [ref = ""] = args.refs;
  switch (args.verb) {
    case "ls":
      return listed(await history.list(args.filters, { signal }), args.format);
    case "inspect": {
      const record = await history.find(ref, { signal });
      return args.format === "json" ? `${JSON.stringify(record, plain, 2)}\n` : inspected(record);
    }
    case "logs": {
      const { ref: whole } = await history.find(ref, { signal });
      await showProgress(history.events(whole, { signal }), progressMode(args.progress, terminal), terminal, signal);
      return "";
    }
    case "rm":
      return await removed(history, args.refs, signal);
  }
}

async function removed(history: RemoteHistory, refs: readonly string[], signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  for (const begin of refs) {
    const { ref } = await history.find(begin, { signal });
    await history.remove(ref, { signal });
    lines.push(`Removed: ${ref}\n`);
  }
  return lines.join("");
}

function listed(records: readonly BuildHistoryRecord[], format: HistoryArgs["format"]): string {
  if (format === "json") return records.map((record) => `${JSON.stringify(record, plain)}\n`).join("");
  const rows = records.map((record) => [record.ref, nameOf(record), statusOf(record), formatAge(record.createdAt ?? 0, Date.now()), durationOf(record)]);
  return formatTable(["BUILD", "NAME", "STATUS", "CREATED", "DURATION"], rows);
}

function inspected(record: BuildHistoryRecord): string {
  const { ref, frontendAttrs, exporters, error, exporterResponse, numTotalSteps, numCompletedSteps, numCachedSteps, numWarnings } = record;
  const outputs = exporters.map(({ type, attrs }) => [type, ...Object.entries(attrs).map(([key, value]) => `${key}=${value}`)].join(","));
  const lines: readonly (readonly [string, string])[] = [
    ["Build", ref],
    ["Name", nameOf(record)],
    ["Status", statusOf(record)],
    ...(error === null || error.message === "" ? [] : [["Error", error.message] as const]),
    ["Created", new Date(record.createdAt ?? 0).toISOString()],
    ["Duration", durationOf(record)],
    ["Steps", `${numCompletedSteps} of ${numTotalSteps}, ${numCachedSteps} cached`],
    ["Warnings", String(numWarnings)],
    ...outputs.map((output) => ["Output", output] as const),
    ...Object.entries(frontendAttrs).map(([key, value]) => ["Option", `${key}=${value}`] as const),
    ...Object.entries(exporterResponse).map(([key, value]) => ["Result", `${key}=${value}`] as const),
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(10)} ${printable(value)}\n`).join("");
}

/** The context, and the target if it is not the last one. */
function nameOf({ frontendAttrs }: BuildHistoryRecord): string {
  const { context = "", filename = "Dockerfile", target } = frontendAttrs;
  const place = context === "" || context.startsWith("http://buildkit-session/") ? filename : context;
  return printable(target === undefined ? place : `${place} (${target})`);
}

/** gRPC's number of what was cancelled. */
const CANCELLED = 1;

function statusOf({ completedAt, error }: BuildHistoryRecord): string {
  if (completedAt === null) return "Running";
  if (error === null || (error.code === 0 && error.message === "")) return "Completed";
  return error.code === CANCELLED ? "Canceled" : "Error";
}

function durationOf({ createdAt, completedAt }: BuildHistoryRecord): string {
  return formatSeconds(((completedAt ?? Date.now()) - (createdAt ?? 0)) / 1000);
}

/** Maps and bytes are no JSON. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value as ReadonlyMap<string, unknown>);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
