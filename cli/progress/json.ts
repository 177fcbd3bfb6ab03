import type { Digest } from "../../cache/oci/digest.js";
import type { Progress, Warning } from "../../solver/progress.js";
import type { Write } from "./plain.js";

/** BuildKit's `rawjson`: one SolveStatus object a line with `vertexes`, `statuses`, `logs` and `warnings`. */
export async function renderJson(events: AsyncIterable<Progress>, write: Write): Promise<void> {
  const vertices = new Map<Digest, JsonVertex>();
  for await (const event of events) write(`${JSON.stringify(solveStatus(event, vertices))}\n`);
}

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
    case "completed": {
      const vertex = known(vertices, event.vertex);
      return vertexStatus(vertices, {
        ...vertex,
        started: vertex.started ?? timestamp(event.at),
        completed: timestamp(event.at),
        ...(event.cached ? { cached: true } : {}),
        ...(event.error === null ? {} : { error: event.error }),
      });
    }
    case "status": {
      const { id, current, total, startedAt, completedAt } = event.status;
      const completed = completedAt === null ? {} : { completed: timestamp(completedAt) };
      const status = { id, vertex: event.vertex, current, total, timestamp: timestamp(Date.now()), started: timestamp(startedAt), ...completed };
      return { statuses: [status] };
    }
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

function jsonWarning(vertex: Digest | null, warning: Warning): object {
  const short = warning.rule === null ? warning.message : `${warning.rule}: ${warning.message}`;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const range = warning.at === null ? {} : { range: [{ start: warning.at.start, end: warning.at.end }] };
  return { vertex, level: 1, short: base64(short), detail: [base64(warning.detail)], ...(warning.url === null ? {} : { url: warning.url }), ...range };
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
