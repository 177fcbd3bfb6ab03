import os from "node:os";
import { type ResourceSpans, resourceSpans, type SpanInput } from "../../api/trace.js";
import type { Job } from "../jobs.js";
import { buildSpans, type TraceParent } from "./buildSpans.js";
import type { SpanSender } from "./spanSender.js";
import { spanStubs } from "./spanStub.js";

/** A build whose spans are being collected. */
export interface BuildTrace {
  /** The build has ended; spans of its client may still come. `error`: why it failed. */
  end(error: string | null): void;
  /** Waits for late spans, not longer than {@link LATE_MS} and not when `hurry` aborts; then answers all, as the history keeps them. */
  collected(hurry: AbortSignal): Promise<readonly string[]>;
}

/** Spans of builds and of their clients. */
export interface Traces {
  begin(ref: string, parent: TraceParent, log: Job["log"]): BuildTrace;
  /** Takes spans of a client, each of them encoded `ResourceSpans`. @throws {TbuildError} invalid_argument */
  take(spans: readonly Uint8Array[]): void;
  /** Passes on what waits. */
  flush(): Promise<void>;
}

/** Clients send the last spans of a build after its end. Source: BuildKit, solver/llbsolver/history.go */
const LATE_MS = 3000;

/** What a build's record keeps; more would be no trace that anybody looks at. */
const MAX_KEPT = 4096;

/** Collects spans, and passes them on when there is a sender. `service`: what this process is called. */
export function openTraces(service: string, sender: SpanSender | null): Traces {
  const recording = new Map<string, { readonly spans: ResourceSpans[]; builds: number }>();
  const resource = { attributes: [{ key: "service.name", value: service }, { key: "host.name", value: os.hostname() }] };

  function record(spans: ResourceSpans): void {
    const ids = new Set(spans.scopeSpans.flatMap((scope) => scope.spans.map(({ traceId }) => Buffer.from(traceId).toString("hex"))));
    for (const id of ids) {
      const kept = recording.get(id)?.spans;
      if (kept !== undefined && kept.length < MAX_KEPT) kept.push(spans);
    }
  }
  function take(encoded: readonly Uint8Array[]): void {
    for (const spans of encoded.map((bytes) => resourceSpans.decode(bytes))) record(spans);
    sender?.send(encoded);
  }
  function takeOwn(spans: readonly SpanInput[]): void {
    take([resourceSpans.encode({ resource, scopeSpans: [{ scope: { name: "tbuild" }, spans }] })]);
  }
  return {
    take,
    flush: async () => await sender?.flush(),
    begin(ref, parent, log) {
      const { traceId } = parent;
      const trace = recording.get(traceId) ?? { spans: [], builds: 0 };
      recording.set(traceId, trace);
      trace.builds++;
      const spans = buildSpans(ref, parent, Date.now());
      const read = readAll(log, spans.add);
      let ended: Promise<void> = Promise.resolve();
      return {
        end(error) {
          const at = Date.now();
          ended = read.then(() => takeOwn(spans.end(at, error)));
        },
        async collected(hurry) {
          await ended;
          await late(hurry);
          if (--trace.builds === 0) recording.delete(traceId);
          return spanStubs(trace.spans, traceId);
        },
      };
    },
  };
}

async function readAll(log: Job["log"], add: ReturnType<typeof buildSpans>["add"]): Promise<void> {
  for await (const events of log.read(new AbortController().signal)) events.forEach(add);
}

function late(hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (hurry.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      hurry.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, LATE_MS);
    hurry.addEventListener("abort", done);
  });
}
