import { traceRequest } from "../../api/trace.js";

/** Passes spans on to a collector, in the background. */
export interface SpanSender {
  /** `ResourceSpans`, encoded. When too many wait, the oldest are dropped. */
  send(spans: readonly Uint8Array[]): void;
  /** Sends what waits; answers when all has been sent or given up. */
  flush(): Promise<void>;
}

/** Where spans go. */
export interface Collector {
  /** URL that they are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_WAITING = 10_000;
const TIMEOUT_MS = 10_000;
const EVERY_MS = 1000;

/**
 * The collector of these environment variables; null when there is none, or traces are turned off. What cannot be done is told to
 * `warn`. Source: OpenTelemetry, "OTLP Exporter Configuration"
 */
export function collectorOf(env: NodeJS.ProcessEnv, warn: (message: string) => void): Collector | null {
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
  const base = env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  const off = env["OTEL_SDK_DISABLED"] === "true" || env["OTEL_TRACES_EXPORTER"] === "none";
  if (off || (!own && !base)) return null;
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/protobuf";
  if (protocol !== "http/protobuf") warn(`Sending traces as http/protobuf, and not as "${protocol}" as the environment says`);
  const url = own ? own : `${base!.replace(/\/$/, "")}/v1/traces`;
  if (!URL.canParse(url)) {
    warn(`Sending no traces: "${url}" is no URL`);
    return null;
  }
  return { url, headers: headersOf(env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? env["OTEL_EXPORTER_OTLP_HEADERS"] ?? "") };
}

function headersOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").flatMap((pair) => {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    return name === undefined || value === undefined ? [] : [[name, decodeURIComponent(value)]];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** Sends to this collector; `onError` hears of the first of several failures in a row. */
export function spanSender({ url, headers }: Collector, onError: (error: unknown) => void): SpanSender {
  let waiting: Uint8Array[] = [];
  let sending = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let state: "well" | "failing" = "well";

  async function post(spans: readonly Uint8Array[]): Promise<void> {
    try {
      const body = traceRequest.encode({ resourceSpans: spans });
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(url, { method: "POST", headers: { ...headers, "content-type": "application/x-protobuf" }, body, signal });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`Cannot send traces to ${url}: status ${response.status}`);
      state = "well";
    } catch (error) {
      if (state === "well") onError(error);
      state = "failing";
    }
  }
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const spans = waiting;
    waiting = [];
    if (spans.length > 0) sending = sending.then(() => post(spans));
    return sending;
  }
  return {
    send(spans) {
      waiting = [...waiting, ...spans].slice(-MAX_WAITING);
      timer ??= setTimeout(() => void flush(), EVERY_MS).unref();
    },
    flush,
  };
}
