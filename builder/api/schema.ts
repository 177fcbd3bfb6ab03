import { type Codec, type Field, child, children, int, message } from "../../solver/llb/message.js";
import { type Sink, writeVarint, written } from "../../solver/llb/wire.js";

/**
 * A message of a service. All of it may be left out when it is written; what is read has every field, absent ones with
 * proto3's default. Fields are those of solver/llb/message.ts and of this file.
 *
 * ```ts
 * const exporter = schema({ type: text(1), attrs: textMap(2) });
 * const request = schema({ ref: text(1), exporters: children(13, exporter) });
 * type Request = Decoded<typeof request>;
 * request.decode(request.encode({ ref: "r", exporters: [{ type: "oci" }] })).exporters[0]?.attrs; // {}
 * ```
 */
export interface Message<T, W> extends Codec<T, W> {
  encode(value: W): Uint8Array;
}

/** What reading a message or a field gives. */
export type Decoded<C> = C extends { decode(bytes: Uint8Array): infer T } ? T : C extends Field<infer V, infer _W> ? V : never;

/** What may be written as this message or field. */
export type Encodable<C> = C extends Codec<infer _T, infer W> ? W : C extends Field<infer _V, infer W> ? W : never;

type Fields = Readonly<Record<string, Field<unknown, unknown>>>;
type Values<F extends Fields> = { readonly [K in keyof F]: Decoded<F[K]> };
type Inputs<F extends Fields> = { readonly [K in keyof F]?: Encodable<F[K]> | undefined };

/** The message that has these fields. */
export function schema<F extends Fields>(fields: F): Message<Values<F>, Inputs<F>> {
  const table = Object.entries(fields).sort(([, a], [, b]) => a.number - b.number);
  const write = (out: Sink, value: Inputs<F>) => {
    for (const [name, field] of table) if (value[name] !== undefined) field.write(out, value[name]);
  };
  const decode = message<object>(fields).decode as (bytes: Uint8Array) => Values<F>;
  return { write, decode, encode: (value) => written((out) => write(out, value)) };
}

const timestamp = message<{ readonly seconds: number; readonly nanos: number }>({ seconds: int(1), nanos: int(2) });

/** `google.protobuf.Timestamp` as milliseconds since the epoch, fractions included; null when absent. */
export function time(number: number): Field<number | null> {
  const field = child(number, timestamp);
  return {
    number,
    write: (out, ms) => field.write(out, ms === null ? null : timestampOf(ms)),
    read(values) {
      const value = field.read(values);
      return value === null ? null : value.seconds * 1000 + value.nanos / 1e6;
    },
  };
}

function timestampOf(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1000);
  // A fraction that rounds up to a whole second would be no valid `nanos`.
  return { seconds, nanos: Math.min(Math.round((ms - seconds * 1000) * 1e6), 999_999_999) };
}

/** `map<int64, message>`; entries in the order of their keys. */
export function numberMap<T, W = T>(number: number, codec: Codec<T, W>): Field<ReadonlyMap<number, T>, ReadonlyMap<number, W>> {
  const value = child(2, codec);
  const entry = message<{ readonly key: number; readonly value: T | null }>({ key: int(1), value: value as Field<T | null> });
  const entries = children<{ readonly key: number; readonly value: T | null }, readonly [number, W]>(number, {
    // Both halves of an entry are always written, as Go does.
    write(out, [k, v]) {
      writeVarint(out, 1, k);
      value.write(out, v);
    },
    decode: entry.decode,
  });
  return {
    number,
    write: (out, map) => entries.write(out, [...map].sort(([a], [b]) => a - b)),
    read: (values) => new Map(entries.read(values).map(({ key, value }) => [key, value ?? codec.decode(new Uint8Array())])),
  };
}
