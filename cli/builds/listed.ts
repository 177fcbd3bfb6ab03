import type { BuildHistoryRecord } from "../../builder/history/buildHistory.js";
import { buildName } from "../../builder/history/buildName.js";
import { parseFilter, statusOf } from "../../builder/history/recordFilter.js";
import { formatAge } from "../age.js";
import { formatSeconds, printable } from "../progress/format.js";
import { formatTable } from "../table.js";
import { usage } from "../usage.js";

/** How the status of a build is shown. */
export const statusWords = { running: "Running", completed: "Completed", canceled: "Canceled", error: "Error" } as const;

/** The builds that every filter lets through, in a table or one line of JSON each. @throws {TbuildError} usage for a filter */
export function listed(records: readonly BuildHistoryRecord[], filters: readonly string[], format: "table" | "json"): string {
  const wanted = filters.map((text) => parseFilter(clientFilter(text), Date.now()));
  const found = records.filter((record) => wanted.every((matches) => matches(record)));
  if (format === "json") return found.map((record) => `${JSON.stringify({ ...record, name: buildName(record.frontendAttrs), status: statusOf(record) }, plain)}\n`).join("");
  const rows = found.map((record) => [
    record.ref,
    printable(buildName(record.frontendAttrs)),
    statusWords[statusOf(record)],
    formatAge(record.createdAt ?? 0, Date.now()),
    durationOf(record),
  ]);
  return formatTable(["BUILD", "NAME", "STATUS", "CREATED", "DURATION"], rows);
}

/** How long a build took, or has taken. */
export function durationOf({ createdAt, completedAt }: BuildHistoryRecord): string {
  return formatSeconds(((completedAt ?? Date.now()) - (createdAt ?? 0)) / 1000);
}

const HINT = "Write ref=…, repository=…, status=running|completed|error|canceled, startedAt>2h, completedAt<=2026-01-31T12:00:00Z or duration>=1m30s";

/** Docker writes `status=error` and finds a part of refs and repositories; `==`, `!=` and `~=` are as in BuildKit. */
function clientFilter(text: string): string {
  const [, field = "", operator = "", value = ""] = /^(\w+)(<=|>=|==|!=|~=|<|>|=)(.*)$/s.exec(text) ?? [];
  const isTime = field === "startedAt" || field === "completedAt" || field === "duration";
  const isText = field === "ref" || field === "repository" || field === "status";
  if (!(isTime && /^[<>]/.test(operator)) && !(isText && /^[^<>]/.test(operator))) throw usage(`Cannot read filter "${text}"`, HINT);
  if (isTime) return text;
  const quoted = value.startsWith('"') ? value : JSON.stringify(value);
  if (operator !== "=") return `${field}${operator}${quoted}`;
  if (field === "status") return `status==${quoted}`;
  return `${field}~=${JSON.stringify(value.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))}`;
}

/** Maps and bytes are no JSON. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value as ReadonlyMap<string, unknown>);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
