import { randomUUID } from "node:crypto";
import type { ContentStore } from "../../../cache/content/store.js";
import { hasCode } from "../../../cache/errors.js";
import type { Descriptor } from "../../../cache/oci/descriptor.js";
import { TRACE_TYPE } from "../operation/spanStub.js";
import type { BuildTrace } from "../operation/traces.js";

/** Puts traces into the records of builds that have ended: late spans are waited for, but by nobody. */
export interface TraceKeeper {
  keep(ref: string, trace: BuildTrace): void;
  /** Waits no longer for spans of this build; answers when its record has its trace. */
  hurry(ref: string): Promise<void>;
  /** As {@link TraceKeeper.hurry} for all. */
  end(): Promise<void>;
}

interface Tracing {
  readonly hurry: AbortController;
  readonly done: Promise<unknown>;
}

/** Keeps nothing yet. `change` adds a trace to a record. */
export function traceKeeper(content: ContentStore, change: (ref: string, trace: Descriptor) => Promise<void>, onError: (error: unknown) => void): TraceKeeper {
  const tracing = new Map<string, Tracing>();
  async function save(ref: string, spans: readonly string[]): Promise<void> {
    const saved = await saveTrace(content, spans);
    if (saved !== null) await change(ref, saved);
  }
  async function hurry(ref: string): Promise<void> {
    const found = tracing.get(ref);
    found?.hurry.abort();
    await found?.done;
  }
  return {
    hurry,
    keep(ref, trace) {
      const abort = new AbortController();
      const done = trace
        .collected(abort.signal)
        .then((spans) => save(ref, spans))
        // A record that has been removed meanwhile needs none.
        .catch((error: unknown) => void (hasCode(error, "not_found") || onError(error)))
        .finally(() => tracing.get(ref)?.done === done && tracing.delete(ref));
      tracing.set(ref, { hurry: abort, done });
    },
    end: async () => void (await Promise.all([...tracing.keys()].map(hurry))),
  };
}

/** Keeps a trace in the content store; null when it is empty, or there is no room for it. */
async function saveTrace(content: ContentStore, spans: readonly string[]): Promise<Descriptor | null> {
  if (spans.length === 0) return null;
  try {
    await using ingest = await content.ingest(`history ${randomUUID()}`);
    await ingest.write(Buffer.from(spans.join("")));
    return { ...(await ingest.commit()), mediaType: TRACE_TYPE };
  } catch {
    return null;
  }
}
