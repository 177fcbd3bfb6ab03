import type { Progress, Warning } from "../../solver/progress.js";
import { rangeToWire } from "../../solver/llb/codecDefinition.js";
import type { SourceInfo } from "../../solver/llb/definition.js";
import type { StatusInput } from "../api/status.js";

/** Turns a build's events into what its client is told. */
export interface StatusWriter {
  /** What these events changed: every step of which they tell, whole, in messages that are small enough. */
  write(events: readonly Progress[]): readonly StatusInput[];
  /** After the last event: steps that began and never ended. `now` in milliseconds since the epoch. */
  close(now: number): readonly StatusInput[];
}

type VertexInput = NonNullable<StatusInput["vertexes"]>[number];
type StatusEntry = NonNullable<StatusInput["statuses"]>[number];
type LogEntry = NonNullable<StatusInput["logs"]>[number];
type WarningEntry = NonNullable<StatusInput["warnings"]>[number];

interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly started: number | null;
  readonly completed: number | null;
  readonly cached: boolean;
  readonly error: string;
}

/** Bytes of output in one message. Source: BuildKit, control/control.go. */
const MAX_LOGS = 2 ** 20;

/** Nothing told yet. `sources` are the texts that warnings point into. */
export function statusWriter(sources: (file: string) => SourceInfo | undefined): StatusWriter {
  const vertices = new Map<string, Vertex>();
  const statuses = statusTable();

  function write(events: readonly Progress[]): readonly StatusInput[] {
    const changed = new Set<string>();
    const change = (digest: string, to: Partial<Vertex>) => {
      const known = vertices.get(digest) ?? unknownVertex(digest);
      vertices.set(digest, { ...known, ...to });
      changed.add(digest);
    };
    for (const event of events) apply(event, change, vertices);
    const first = vertices.keys().next().value ?? "";
    return messages({
      vertexes: [...changed].map((digest) => vertexInput(vertices.get(digest)!)),
      statuses: statuses.update(events),
      logs: events.flatMap(logEntries),
      warnings: events.flatMap((event) => (event.type === "warning" ? [warningEntry(event.warning, event.vertex ?? first, sources)] : [])),
    });
  }
  function close(now: number): readonly StatusInput[] {
    const open = [...vertices.values()].filter(({ started, completed }) => started !== null && completed === null);
    const vertexes = open.map((vertex) => vertexInput({ ...vertex, completed: now, error: "context canceled" }));
    return messages({ vertexes, statuses: open.flatMap(({ digest }) => statuses.end(digest, now)) });
  }
  return { write, close };
}

function unknownVertex(digest: string): Vertex {
  return { digest, name: "", inputs: [], started: null, completed: null, cached: false, error: "" };
}

function apply(event: Progress, change: (digest: string, to: Partial<Vertex>) => void, vertices: ReadonlyMap<string, Vertex>): void {
  switch (event.type) {
    case "vertex":
      return change(event.vertex, { name: event.name, inputs: event.inputs });
    case "started":
      // What a step takes as input and nobody ran was in the cache.
      for (const input of vertices.get(event.vertex)?.inputs ?? []) {
        if (vertices.get(input)?.started === null) change(input, { started: event.at, completed: event.at, cached: true });
      }
      return change(event.vertex, { started: event.at });
    case "completed":
      return change(event.vertex, { completed: event.at, cached: event.cached, error: event.error ?? "", started: vertices.get(event.vertex)?.started ?? event.at });
    case "status":
    case "log":
    case "warning":
  }
}

function vertexInput({ inputs, ...rest }: Vertex): VertexInput {
  return { ...rest, inputs };
}

interface StatusTable {
  /** Of each sub-progress the last update, by the time of its start. A step that has completed leaves none open. */
  update(events: readonly Progress[]): readonly StatusEntry[];
  /** What is open of a step, as completed. */
  end(vertex: string, at: number): readonly StatusEntry[];
}

function statusTable(): StatusTable {
  const open = new Map<string, Map<string, StatusEntry>>();

  function end(vertex: string, at: number): readonly StatusEntry[] {
    const left = [...(open.get(vertex)?.values() ?? [])];
    open.delete(vertex);
    return left.map((entry) => ({ ...entry, timestamp: at, completed: at }));
  }
  function entries(event: Progress): readonly StatusEntry[] {
    if (event.type === "completed") return end(event.vertex, event.at);
    if (event.type !== "status") return [];
    const entry = statusEntry(event);
    const ofVertex = open.get(event.vertex) ?? new Map<string, StatusEntry>();
    open.set(event.vertex, ofVertex);
    if (event.status.completedAt === null) ofVertex.set(event.status.id, entry);
    else ofVertex.delete(event.status.id);
    return [entry];
  }
  return {
    end,
    update(events) {
      const latest = new Map<string, StatusEntry>();
      for (const event of events) for (const entry of entries(event)) latest.set(`${entry.vertex} ${entry.id}`, entry);
      return [...latest.values()].sort((a, b) => (a.started ?? 0) - (b.started ?? 0));
    },
  };
}

function statusEntry({ vertex, status }: Progress & { readonly type: "status" }): StatusEntry {
  const { id, current, total, startedAt, completedAt } = status;
  // Of what comes from a client, the name says what is done: tools add it up.
  const name = id.startsWith("transferring ") ? "transferring" : id;
  return { id, vertex, name, current, total, timestamp: completedAt ?? Date.now(), started: startedAt, completed: completedAt };
}

function logEntries(event: Progress): readonly LogEntry[] {
  if (event.type !== "log") return [];
  const entries: LogEntry[] = [];
  for (let at = 0; at < event.bytes.length; at += MAX_LOGS) {
    entries.push({ vertex: event.vertex, timestamp: event.at, stream: event.stream, msg: event.bytes.subarray(at, at + MAX_LOGS) });
  }
  return entries;
}

function warningEntry({ rule, message, detail, level = 1, url, at }: Warning, vertex: string, sources: (file: string) => SourceInfo | undefined): WarningEntry {
  const line = at === null ? "" : ` (line ${at.start.line})`;
  const info = at === null ? undefined : sources(at.file);
  return {
    vertex,
    level,
    short: Buffer.from(rule === null ? message : `${rule}: ${message}${line}`),
    detail: detail === "" ? [] : detail.split("\n").map((line) => Buffer.from(line)),
    url: url ?? "",
    info: info ?? null,
    ranges: at === null || info === undefined ? [] : [rangeToWire(at)],
  };
}

/** One message, or as many as its logs need; none when it says nothing. */
function messages({ vertexes = [], statuses = [], logs = [], warnings = [] }: StatusInput): readonly StatusInput[] {
  const parts = logParts(logs);
  const first = { vertexes, statuses, logs: parts.shift() ?? [], warnings };
  const all = [first, ...parts.map((part) => ({ logs: part }))];
  return vertexes.length + statuses.length + logs.length + warnings.length === 0 ? [] : all;
}

function logParts(logs: readonly LogEntry[]): LogEntry[][] {
  const parts: LogEntry[][] = [];
  let size = Infinity;
  for (const entry of logs) {
    const bytes = entry.msg?.length ?? 0;
    if (size + bytes > MAX_LOGS) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(entry);
    size += bytes;
  }
  return parts;
}
