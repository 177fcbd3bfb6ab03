import { TbuildError } from "../../cache/errors.js";
import type { BuildRecord } from "../../cache/meta/records.js";
import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import { grpcCode } from "../api/errors.js";
import { parseFilters } from "../daemon/filter.js";

/** What filters look at. A build that runs has no `completedAt`; one that succeeded has no error, or an empty one. */
export interface FilteredBuild {
  readonly ref: string;
  readonly frontendAttrs: Readonly<Record<string, string>>;
  readonly createdAt: number | null;
  readonly completedAt: number | null;
  readonly error: { readonly code: number; readonly message: string } | null;
}

/** True for a build that is wanted. */
type RecordFilter = (build: FilteredBuild) => boolean;

/** What of a record is asked for. */
export interface RecordQuery {
  /** Any one of them must match; all parts of it, which commas separate. None: everything matches. */
  readonly filter: readonly string[];
  /** The youngest records, as many; 0: all, by ref. */
  readonly limit: number;
}

/**
 * The records that a client asks for: fields are ref, status, repository, and startedAt, completedAt (a time, or how long ago)
 * and duration with <, <=, > or >=. `now` in milliseconds since the epoch.
 * @throws {TbuildError} invalid_argument. Source: BuildKit, solver/llbsolver/history/filter.go
 */
export function queryRecords(records: readonly BuildRecord[], { filter, limit }: RecordQuery, now: number): readonly BuildRecord[] {
  if (limit < 0) throw new TbuildError("invalid_argument", `Cannot list ${limit} builds`);
  const filters = filter.map((text) => parseFilter(text, now));
  const found = records.filter((record) => filters.length === 0 || filters.some((matches) => matches(record)));
  return limit === 0 ? found : [...found].sort((a, b) => b.createdAt - a.createdAt).slice(0, limit);
}

/** A filter as clients write it; see {@link queryRecords}. @throws {TbuildError} invalid_argument */
export function parseFilter(text: string, now: number): RecordFilter {
  const parts = (text.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g) ?? []).map((part) => part.trim());
  const times = parts.map((part) => timeFilter(part, now));
  const matches = parseFilters([parts.filter((_part, index) => times[index] === null).join(",")]);
  return (record) => times.every((one) => one === null || one(record)) && matches((field) => fieldOf(record, field));
}

const compare: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};

function timeFilter(part: string, now: number): RecordFilter | null {
  const [, field, operator = "", value = ""] = /^(startedAt|completedAt|duration)(>=|<=|>|<)(.*)$/s.exec(part) ?? [];
  if (field === undefined) return null;
  const holds = compare[operator]!;
  if (field === "duration") {
    const wanted = required(part, goDuration(value));
    return ({ createdAt, completedAt }) => holds((completedAt ?? now) - (createdAt ?? now), wanted);
  }
  const ago = goDuration(value);
  const wanted = seconds(required(part, ago === null ? rfc3339(value) : now - ago));
  return ({ createdAt, completedAt }) => holds(seconds((field === "startedAt" ? createdAt : completedAt) ?? 0), wanted);
}

function required(part: string, value: number | null): number {
  if (value !== null) return value;
  throw new TbuildError("invalid_argument", `Cannot read filter "${part}": it needs a duration such as 1h30m, or a time such as 2006-01-02T15:04:05Z`);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration as Go writes it; null for what is none. */
function goDuration(text: string): number | null {
  const [, sign, amount = ""] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)$/.exec(text) ?? [];
  if (sign === undefined) return null;
  const parts = [...amount.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0);
  return sign === "-" ? -ms : ms;
}

function rfc3339(text: string): number | null {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : null;
}

function fieldOf(record: FilteredBuild, field: string): string | null {
  switch (field) {
    case "ref":
      return record.ref;
    case "status":
      return statusOf(record);
    case "repository":
      return repositoryOf(record);
    default:
      return null;
  }
}

/** In one word: running, completed, canceled or error. */
export function statusOf({ completedAt, error }: Pick<FilteredBuild, "completedAt" | "error">): "running" | "completed" | "canceled" | "error" {
  if (completedAt === null) return "running";
  if (error === null || (error.code === 0 && error.message === "")) return "completed";
  return error.code === grpcCode.cancelled ? "canceled" : "error";
}

function repositoryOf({ frontendAttrs }: FilteredBuild): string | null {
  const context = frontendAttrs["context"];
  return frontendAttrs["vcs:source"] ?? (context === undefined ? null : remoteOf(context));
}

function remoteOf(context: string): string | null {
  try {
    return parseGitUrl(context)?.remote ?? null;
  } catch {
    // It is what the build has failed with.
    return null;
  }
}
