import type { SourcePosition } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Progress, Warning } from "../../solver/progress.js";
import type { Write } from "./plain.js";

/** BuildKit's `rawjson`: one SolveStatus object a line with `vertexes`, `statuses`, `logs` and `warnings`. */
export async function renderJson(events: AsyncIterable<Progress>, write: Write): Promise<void> {
  const vertices = new Map<Digest, JsonVertex>();
  for await (const event of events) write(`${JSON.stringify(solveStatus(event, vertices))}\n`);
}

/** Fields, and when they are left out, as in BuildKit's client/graph.go. Bytes are base64, times RFC 3339. */
interface JsonVertex {
  readonly digest: Digest;
  readonly inputs?: readonly Digest[];
  readonly name: string;
  readonly started?: string;
  readonly completed?: string;
  readonly cached?: true;
  readonly error?: string;
}

function solveStatus(event: Progress, vertices: Map<Digest, JsonVertex>): object {
  switch (event.type) {
    case "vertex": {
      const inputs = event.inputs.length === 0 ? {} : { inputs: event.inputs };
      return vertexStatus(vertices, { digest: event.vertex, ...inputs, name: event.name });
    }
    case "started":
      return vertexStatus(vertices, { ...known(vertices, event.vertex), started: timestamp(event.at) });
    case "completed":
      return vertexStatus(vertices, completed(known(vertices, event.vertex), event));
    case "status":
      return { statuses: [jsonStatus(event)] };
    case "log": {
      const data = Buffer.from(event.bytes).toString("base64");
      return { logs: [{ vertex: event.vertex, stream: event.stream, data, timestamp: timestamp(event.at) }] };
    }
    case "warning":
      return { warnings: [jsonWarning(event.vertex, event.warning)] };
  }
}

function known(vertices: ReadonlyMap<Digest, JsonVertex>, digest: Digest): JsonVertex {
  return vertices.get(digest) ?? { digest, name: "" };
}

function vertexStatus(vertices: Map<Digest, JsonVertex>, vertex: JsonVertex): object {
  vertices.set(vertex.digest, vertex);
  return { vertexes: [vertex] };
}

function completed(vertex: JsonVertex, { at, cached, error }: Progress & { readonly type: "completed" }): JsonVertex {
  const times = { started: vertex.started ?? timestamp(at), completed: timestamp(at) };
  return { ...vertex, ...times, ...(cached ? { cached } : {}), ...(error === null ? {} : { error }) };
}

function jsonStatus({ vertex, status }: Progress & { readonly type: "status" }): object {
  const { id, current, total, startedAt, completedAt } = status;
  return {
    id,
    vertex,
    ...(total > 0 ? { total } : {}),
    current,
    timestamp: timestamp(completedAt ?? Date.now()),
    started: timestamp(startedAt),
    ...(completedAt === null ? {} : { completed: timestamp(completedAt) }),
  };
}

/** Positions are pb.Position: lines count from 1, characters from 0. */
function jsonWarning(vertex: Digest | null, { rule, message, detail, url, at }: Warning): object {
  return {
    ...(vertex === null ? {} : { vertex }),
    level: 1,
    short: base64(rule === null ? message : `${rule}: ${message}`),
    ...(detail === "" ? {} : { detail: [base64(detail)] }),
    ...(url === null ? {} : { url }),
    ...(at === null ? {} : { sourceInfo: { filename: at.file }, range: [{ start: position(at.start), end: position(at.end) }] }),
  };
}

function position({ line, column }: SourcePosition): object {
  return { line, ...(column > 1 ? { character: column - 1 } : {}) };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
