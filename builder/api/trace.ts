import { blob, blobs, child, children, type Codec, type Field, int, text } from "../../solver/llb/message.js";
import { parseFields, put, putVarint, textOf, type WireValue, writeText, writeVarint } from "../../solver/llb/wire.js";
import { empty } from "./common.js";
import { type Decoded, type Encodable, schema } from "./schema.js";
import { service, unary } from "./service.js";

/** Value of an attribute of a span. Lists and maps are read as null. Source: opentelemetry-proto, common/v1. */
export type AttributeValue = string | boolean | number | bigint | null;

const anyValue: Codec<AttributeValue> = {
  write(out, value) {
    if (typeof value === "string") writeText(out, 1, value);
    else if (typeof value === "boolean") writeVarint(out, 2, value ? 1 : 0);
    else if (value !== null) writeVarint(out, 3, typeof value === "bigint" ? value : Math.round(value));
  },
  decode(bytes) {
    for (const [number, values] of parseFields(bytes)) return valueOf(number, values.at(-1)!);
    return null;
  },
};

function valueOf(number: number, value: WireValue): AttributeValue {
  if (typeof value === "bigint") return number === 2 ? value !== 0n : BigInt.asIntN(64, value);
  if (number === 1) return textOf(value);
  return number === 4 && value.length === 8 ? Buffer.from(value).readDoubleLE() : null;
}

/** `fixed64`: nanoseconds since the epoch. */
function nanoseconds(number: number): Field<bigint> {
  const FIXED64 = 1;
  return {
    number,
    write(out, value) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value);
      putVarint(out, (number << 3) | FIXED64);
      put(out, bytes);
    },
    read(values) {
      const value = values.at(-1);
      return value instanceof Uint8Array && value.length === 8 ? Buffer.from(value).readBigUInt64LE() : 0n;
    },
  };
}

const keyValue = schema({ key: text(1), value: child(2, anyValue) });

const event = schema({ time: nanoseconds(1), name: text(2), attributes: children(3, keyValue), droppedAttributes: int(4) });

const status = schema({ message: text(2), code: int(3) });

const link = schema({ traceId: blob(1), spanId: blob(2), traceState: text(3), attributes: children(4, keyValue), droppedAttributes: int(5) });

const span = schema({
  traceId: blob(1),
  spanId: blob(2),
  traceState: text(3),
  parentSpanId: blob(4),
  name: text(5),
  /** 1 internal, 2 server, 3 client. */
  kind: int(6),
  start: nanoseconds(7),
  end: nanoseconds(8),
  attributes: children(9, keyValue),
  droppedAttributes: int(10),
  events: children(11, event),
  droppedEvents: int(12),
  links: children(13, link),
  droppedLinks: int(14),
  status: child(15, status),
});

/** Something that took time. Source: opentelemetry-proto, trace/v1. */
export type Span = Decoded<typeof span>;

/** What of a {@link Span} must be given. */
export type SpanInput = Encodable<typeof span>;

/** `ResourceSpans`: spans of one process. */
export const resourceSpans = schema({
  resource: child(1, schema({ attributes: children(1, keyValue) })),
  scopeSpans: children(2, schema({ scope: child(1, schema({ name: text(1), version: text(2) })), spans: children(2, span) })),
});

/** See {@link resourceSpans}. */
export type ResourceSpans = Decoded<typeof resourceSpans>;

/** What a collector is sent: {@link resourceSpans}, which it need not be read for to be passed on. */
export const traceRequest = schema({ resourceSpans: blobs(1) });

/** OpenTelemetry's collector. */
export const traceService = service("opentelemetry.proto.collector.trace.v1.TraceService", { Export: unary(traceRequest, empty) });
