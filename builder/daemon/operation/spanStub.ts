import type { AttributeValue, ResourceSpans, Span } from "../../api/trace.js";

type Attributes = Span["attributes"];

/** Media type of a build's trace. Source: BuildKit, solver/llbsolver/history.go */
export const TRACE_TYPE = "application/vnd.buildkit.otlp.json.v0";

/** Spans as BuildKit keeps them in its history, one JSON value after the other: the form of OpenTelemetry's SDK for Go. */
export function spanStubs(all: readonly ResourceSpans[], traceId: string): readonly string[] {
  return all.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans
        .filter((span) => hex(span.traceId) === traceId)
        .map((span) => `${JSON.stringify(stub(span, resource?.attributes ?? [], { Name: scope?.name ?? "", Version: scope?.version ?? "", SchemaURL: "" }))}\n`),
    ),
  );
}

function stub(span: Span, resource: Attributes, scope: object): object {
  return {
    Name: span.name,
    SpanContext: context(span.traceId, span.spanId, span.traceState),
    Parent: context(span.parentSpanId.length === 0 ? new Uint8Array(16) : span.traceId, span.parentSpanId),
    SpanKind: span.kind,
    StartTime: time(span.start),
    EndTime: time(span.end),
    Attributes: keyValues(span.attributes),
    Events: span.events.map((event) => ({
      Name: event.name,
      Attributes: keyValues(event.attributes),
      DroppedAttributeCount: event.droppedAttributes,
      Time: time(event.time),
    })),
    Links: span.links.map((link) => ({
      SpanContext: context(link.traceId, link.spanId, link.traceState),
      Attributes: keyValues(link.attributes),
      DroppedAttributeCount: link.droppedAttributes,
    })),
    Status: { Code: ["Unset", "Ok", "Error"][span.status?.code ?? 0] ?? "Unset", Description: span.status?.message ?? "" },
    DroppedAttributes: span.droppedAttributes,
    DroppedEvents: span.droppedEvents,
    DroppedLinks: span.droppedLinks,
    ChildSpanCount: 0,
    Resource: keyValues(resource),
    InstrumentationLibrary: scope,
  };
}

function context(traceId: Uint8Array, spanId: Uint8Array, state = ""): object {
  return { TraceID: hex(traceId), SpanID: hex(spanId.length === 0 ? new Uint8Array(8) : spanId), TraceFlags: "01", TraceState: state, Remote: false };
}

function keyValues(attributes: Attributes): readonly object[] {
  return attributes.map(({ key, value }) => ({ Key: key, Value: typed(value) }));
}

function typed(value: AttributeValue): object {
  if (typeof value === "boolean") return { Type: "BOOL", Value: value };
  if (typeof value === "bigint") return { Type: "INT64", Value: Number(value) };
  if (typeof value === "number") return { Type: "FLOAT64", Value: value };
  return { Type: "STRING", Value: value ?? "" };
}

/** RFC 3339 with nanoseconds. */
function time(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}Z`;
}

/** Bytes in hexadecimal, as ids are written. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
