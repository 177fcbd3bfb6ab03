import { randomBytes } from "node:crypto";
import type { Progress } from "../../../solver/progress.js";
import { unreachable } from "../../../cache/errors.js";
import type { SpanInput } from "../../api/trace.js";

/** Where a build belongs among the spans of its client. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits; null: the build is the first span. */
  readonly spanId: string | null;
}

/** The parent in a call's headers, or a new trace. Source: W3C Trace Context, "traceparent Header" */
export function traceParent(headers: Readonly<Record<string, string>>): TraceParent {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(headers["traceparent"] ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId)) return { traceId: randomBytes(16).toString("hex"), spanId: null };
  return { traceId, spanId };
}

/** Collects the spans of a build and of its steps. */
export interface BuildSpans {
  add(event: Progress): void;
  /** All spans; steps that have not ended end with the build. `error`: why it failed. Times in milliseconds since the epoch. */
  end(at: number, error: string | null): readonly SpanInput[];
}

interface Step {
  readonly name: string;
  readonly id: Buffer;
  start: number | null;
  end: number | null;
  error: string | null;
  cached: boolean;
}

/** A build that begins now. */
export function buildSpans(ref: string, parent: TraceParent, startedAt: number): BuildSpans {
  const traceId = Buffer.from(parent.traceId, "hex");
  const root = randomBytes(8);
  const steps = new Map<string, Step>();
  const update = (vertex: string, change: (step: Step) => void) => {
    const step = steps.get(vertex);
    if (step !== undefined) change(step);
  };
  const stepSpan = (vertex: string, { name, id, start, end, error, cached }: Step, endedAt: number): SpanInput => ({
    traceId,
    spanId: id,
    parentSpanId: root,
    name,
    kind: 1,
    start: nanoseconds(start ?? end ?? endedAt),
    end: nanoseconds(end ?? endedAt),
    attributes: [{ key: "vertex", value: vertex }, { key: "cached", value: cached }],
    status: error === null ? null : { code: 2, message: error },
  });
  return {
    add(event) {
      switch (event.type) {
        case "vertex":
          if (!steps.has(event.vertex)) steps.set(event.vertex, { name: event.name, id: randomBytes(8), start: null, end: null, error: null, cached: false });
          return;
        case "started":
          return update(event.vertex, (step) => (step.start ??= event.at));
        case "completed":
          return update(event.vertex, (step) => {
            step.end = event.at;
            step.error = event.error;
            step.cached = event.cached;
          });
        case "status":
        case "log":
        case "warning":
          return;
        default:
          return unreachable(event);
      }
    },
    end(at, error) {
      const whole: SpanInput = {
        traceId,
        spanId: root,
        parentSpanId: parent.spanId === null ? new Uint8Array() : Buffer.from(parent.spanId, "hex"),
        name: "moby.buildkit.v1.Control/Solve",
        kind: 2,
        start: nanoseconds(startedAt),
        end: nanoseconds(at),
        attributes: [{ key: "ref", value: ref }],
        status: error === null ? null : { code: 2, message: error },
      };
      // What nobody needed has neither begun nor ended.
      const ran = [...steps].filter(([, { start, end }]) => start !== null || end !== null);
      return [whole, ...ran.map(([vertex, step]) => stepSpan(vertex, step, at))];
    },
  };
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}
