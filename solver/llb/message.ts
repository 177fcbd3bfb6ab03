import { type Sink, type WireValue, malformed, parseFields, textOf, unpack } from "./wire.js";
import { closeField, openField, putVarint, writeBytes, writeText, writeVarint, written } from "./wire.js";

/**
 * A message type: value ⇄ bytes. What `write` appends equals Go's deterministic proto3 marshalling. `W` is what may be written,
 * where that is more than what is read.
 */
export interface Codec<T, W = T> {
  write(out: Sink, value: W): void;
  /** Unknown fields are skipped. @throws {TbuildError} invalid_argument */
  decode(bytes: Uint8Array): T;
}

/** One field of a message. A value equal to the type's default is not written. */
export interface Field<V, W = V> {
  readonly number: number;
  write(out: Sink, value: W): void;
  /** `values` in the order of the wire; empty when the field is absent. */
  read(values: readonly WireValue[]): V;
}

/** The bytes of one message. */
export function encode<T, W>(codec: Codec<T, W>, value: W): Uint8Array {
  return written((out) => codec.write(out, value));
}

/** Codec of a message from the table of its fields. */
export function message<T extends object>(fields: { readonly [K in keyof T]-?: Field<T[K]> }): Codec<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<unknown>][];
  const table = entries.map(([name, field]) => ({ name, field })).sort((a, b) => a.field.number - b.field.number);
  return {
    write(out, value) {
      for (let i = 0; i < table.length; i++) table[i]!.field.write(out, value[table[i]!.name]);
    },
    decode(bytes) {
      // A plain view, so that values read from a Buffer are not Buffers themselves.
      const found = parseFields(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
      return Object.fromEntries(table.map(({ name, field }) => [name, field.read(found.get(field.number) ?? [])])) as T;
    },
  };
}

/** `codec` seen through another type, for example a union that the wire spells as a oneof. */
export function mapped<Wire, T>(codec: Codec<Wire>, toWire: (value: T) => Wire, fromWire: (wire: Wire) => T): Codec<T> {
  return { write: (out, value) => codec.write(out, toWire(value)), decode: (bytes) => fromWire(codec.decode(bytes)) };
}

/** `string`. */
export function text(number: number): Field<string> {
  return {
    number,
    write: (out, value) => void (value !== "" && writeText(out, number, value)),
    read: (values) => (values.length === 0 ? "" : textOf(bytesOf(values.at(-1)))),
  };
}

/** `bytes`. */
export function blob(number: number): Field<Uint8Array> {
  return {
    number,
    write: (out, value) => void (value.length > 0 && writeBytes(out, number, value)),
    read: (values) => (values.length === 0 ? new Uint8Array() : bytesOf(values.at(-1))),
  };
}

/** `bool`. */
export function flag(number: number): Field<boolean> {
  return {
    number,
    write: (out, value) => void (value && writeVarint(out, number, 1)),
    read: (values) => values.length > 0 && intOf(values.at(-1)) !== 0n,
  };
}

/** `int32`, `int64`, and `uint32`, `uint64`, below 2^53; what is more is refused. See {@link bigint}. */
export function int(number: number): Field<number> {
  return {
    number,
    write: (out, value) => void (value !== 0 && writeVarint(out, number, value)),
    read: (values) => (values.length === 0 ? 0 : safe(intOf(values.at(-1)))),
  };
}

/** `int64` that needs all its bits. */
export function bigint(number: number): Field<bigint> {
  return {
    number,
    write: (out, value) => void (value !== 0n && writeVarint(out, number, value)),
    read: (values) => (values.length === 0 ? 0n : BigInt.asIntN(64, intOf(values.at(-1)))),
  };
}

/** An enum, written as the index of the name. */
export function oneOf<const N extends string>(number: number, names: readonly N[]): Field<N> {
  const index = int(number);
  return {
    number,
    write: (out, value) => index.write(out, names.indexOf(value)),
    read(values) {
      const name = names[index.read(values)];
      if (name === undefined) throw malformed(`unknown value ${index.read(values)} of "${names.join("|")}"`);
      return name;
    },
  };
}

/** `repeated string`. */
export function texts(number: number): Field<readonly string[]> {
  return {
    number,
    write(out, list) {
      for (let i = 0; i < list.length; i++) writeText(out, number, list[i]!);
    },
    read: (values) => values.map((value) => textOf(bytesOf(value))),
  };
}

/** `repeated bytes`. */
export function blobs(number: number): Field<readonly Uint8Array[]> {
  return {
    number,
    write: (out, list) => list.forEach((value) => writeBytes(out, number, value)),
    read: (values) => values.map(bytesOf),
  };
}

/** `repeated int32` or `int64`: written packed, read packed or not. */
export function ints(number: number): Field<readonly number[]> {
  return {
    number,
    write(out, list) {
      if (list.length > 0) writeBytes(out, number, written((packed) => list.forEach((value) => putVarint(packed, value))));
    },
    read: (values) =>
      values.flatMap((value) => (typeof value === "bigint" ? [value] : unpack(value))).map(safe),
  };
}

/** A message or, when the field is absent, null. */
export function child<T, W = T>(number: number, codec: Codec<T, W>): Field<T | null, W | null> {
  return {
    number,
    write: (out, value) => void (value !== null && writeChild(out, number, codec, value)),
    // Two occurrences of one message are merged, which is what decoding their concatenation does.
    read: (values) => (values.length === 0 ? null : codec.decode(joined(values.map(bytesOf)))),
  };
}

/** `repeated` message. */
export function children<T, W = T>(number: number, codec: Codec<T, W>): Field<readonly T[], readonly W[]> {
  return {
    number,
    write(out, list) {
      for (let i = 0; i < list.length; i++) writeChild(out, number, codec, list[i] as W);
    },
    read: (values) => values.map((value) => codec.decode(bytesOf(value))),
  };
}

/** `map<string, V>`: entries in byte order of the keys; both halves of an entry are always written. */
export function map<V, W = V>(number: number, value: EntryValue<V, W>): Field<Readonly<Record<string, V>>, Readonly<Record<string, W>>> {
  return {
    number,
    write(out, record) {
      const keys = Object.keys(record);
      for (const key of keys.length > 1 ? keys.sort(byBytes) : keys) writeEntry(out, number, key, record[key] as W, value);
    },
    read: (values) => Object.fromEntries(values.map((entry) => decodeEntry(bytesOf(entry), value))),
  };
}

/** How the value of a map entry is written and read; see {@link map}. */
export interface EntryValue<V, W = V> {
  write(out: Sink, field: number, value: W): void;
  read(value: WireValue | undefined): V;
}

/** `map<string, string>`. */
export function textMap(number: number): Field<Readonly<Record<string, string>>> {
  return map(number, {
    write: writeText,
    read: (value) => (value === undefined ? "" : textOf(bytesOf(value))),
  });
}

/** `map<string, bool>`. */
export function flagMap(number: number): Field<Readonly<Record<string, boolean>>> {
  return map(number, {
    write: (out, field, value) => writeVarint(out, field, value ? 1 : 0),
    read: (value) => value !== undefined && intOf(value) !== 0n,
  });
}

/** `map<string, bytes>`. */
export function blobMap(number: number): Field<Readonly<Record<string, Uint8Array>>> {
  return map(number, {
    write: writeBytes,
    read: (value) => (value === undefined ? new Uint8Array() : bytesOf(value)),
  });
}

/** `map<string, message>`. */
export function childMap<T, W = T>(number: number, codec: Codec<T, W>): Field<Readonly<Record<string, T>>, Readonly<Record<string, W>>> {
  return map(number, {
    write: (out, field, value) => writeChild(out, field, codec, value),
    read: (value) => codec.decode(value === undefined ? new Uint8Array() : bytesOf(value)),
  });
}

function writeChild<T, W>(out: Sink, number: number, codec: Codec<T, W>, value: W): void {
  const start = openField(out, number);
  codec.write(out, value);
  closeField(out, start);
}

function writeEntry<V, W>(out: Sink, number: number, key: string, value: W, half: EntryValue<V, W>): void {
  const start = openField(out, number);
  writeText(out, 1, key);
  half.write(out, 2, value);
  closeField(out, start);
}

function decodeEntry<V, W>(entry: Uint8Array, half: EntryValue<V, W>): [string, V] {
  const fields = parseFields(entry);
  return [text(1).read(fields.get(1) ?? []), half.read(fields.get(2)?.at(-1))];
}

/** Go sorts strings by their UTF-8 bytes; JavaScript by UTF-16 units, which differs above U+FFFF. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Buffer.concat() as a plain array, so that what is read from it is no Buffer either. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.concat(parts);
  return new Uint8Array(buffer, byteOffset, length);
}

function bytesOf(value: WireValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw malformed("a field has the wrong wire type");
}

function intOf(value: WireValue | undefined): bigint {
  if (typeof value === "bigint") return value;
  throw malformed("a field has the wrong wire type");
}

function safe(varint: bigint): number {
  const value = Number(BigInt.asIntN(64, varint));
  if (Number.isSafeInteger(value)) return value;
  throw malformed("an integer needs more than 53 bits");
}
