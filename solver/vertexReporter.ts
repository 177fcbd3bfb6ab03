import type { Vertex } from "./graph.js";
import type { Progress, StepReporter } from "./progress.js";

/** Tells one build's audience about one vertex. A vertex starts and completes at most once, whatever is called. */
export interface VertexReporter extends StepReporter {
  started(): void;
  done(): void;
  /** Also for a vertex that nobody needed. */
  cached(): void;
  failed(message: string): void;
  /** Says so only if it had started. */
  cancelled(): void;
}

/** Reporter of `vertex`, which it announces at once. A log line or status starts the vertex if nothing else has. */
export function createVertexReporter(
  vertex: Pick<Vertex, "digest" | "name" | "inputs">,
  report: (event: Progress) => void,
): VertexReporter {
  const { digest } = vertex;
  const statuses = new Map<string, Status>();
  let phase: "announced" | "started" | "completed" = "announced";
  const inputs = [...new Set(vertex.inputs.map((input) => input.vertex.digest))];
  report({ type: "vertex", vertex: digest, name: vertex.name, inputs, at: Date.now() });

  function start(at: number): void {
    if (phase !== "announced") return;
    phase = "started";
    report({ type: "started", vertex: digest, at });
  }
  function complete(cached: boolean, error: string | null): void {
    if (phase === "completed") return;
    const at = Date.now();
    start(at);
    phase = "completed";
    report({ type: "completed", vertex: digest, at, cached, error });
  }
  function status(id: string, { current, total, startedAt }: Status, completedAt: number | null): void {
    start(startedAt);
    report({ type: "status", vertex: digest, status: { id, current, total, startedAt, completedAt } });
  }

  return {
    log(stream, bytes) {
      const at = Date.now();
      start(at);
      report({ type: "log", vertex: digest, at, stream, bytes });
    },
    status(id, current, total) {
      const known = { current, total, startedAt: statuses.get(id)?.startedAt ?? Date.now() };
      statuses.set(id, known);
      status(id, known, null);
    },
    statusDone(id) {
      const now = Date.now();
      status(id, statuses.get(id) ?? { current: 0, total: 0, startedAt: now }, now);
      statuses.delete(id);
    },
    warn: (warning) => report({ type: "warning", vertex: digest, warning }),
    started: () => start(Date.now()),
    done: () => complete(false, null),
    cached: () => complete(true, null),
    failed: (message) => complete(false, message),
    cancelled: () => void (phase === "started" && complete(false, "context canceled")),
  };
}

interface Status {
  readonly current: number;
  readonly total: number;
  readonly startedAt: number;
}
