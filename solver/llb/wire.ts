import { TbuildError } from "../../cache/errors.js";

/** Value of one field on the wire: a varint (64 bits, unsigned) or the bytes of a length-delimited field. */
export type WireValue = bigint | Uint8Array;

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are being written: the first `length` of `bytes`. All of a message goes into one, children included. */
export interface Sink {
  bytes: Buffer;
  length: number;
}

/** Collects what `write` writes, as a plain array, so that what is read from it is no Buffer either. */
export function written(write: (out: Sink) => void): Uint8Array {
  const out: Sink = { bytes: Buffer.allocUnsafe(512), length: 0 };
  write(out);
  return new Uint8Array(out.bytes.buffer, out.bytes.byteOffset, out.length);
}

/** The usual "none" of indices and times. */
const MINUS_ONE = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1);

/** Appends an integer in the fewest bytes; a negative one takes ten, as int32 and int64 do. Source: protobuf "Encoding". */
export function putVarint(out: Sink, value: number | bigint): void {
  reserve(out, MINUS_ONE.length);
  if (typeof value === "number" && value >= 0) putPositive(out, value);
  else if (value === -1 || value === -1n) put(out, MINUS_ONE);
  else putLong(out, BigInt.asUintN(64, BigInt(value)));
}

/** Appends a varint field, also when it is zero. */
export function writeVarint(out: Sink, field: number, value: number | bigint): void {
  putVarint(out, (field << 3) | VARINT);
  putVarint(out, value);
}

/** Appends a length-delimited field, also when it is empty. */
export function writeBytes(out: Sink, field: number, bytes: Uint8Array): void {
  putVarint(out, (field << 3) | DELIMITED);
  putVarint(out, bytes.length);
  put(out, bytes);
}

/** Appends a length-delimited field with the UTF-8 bytes of `text`, also when it is empty. */
export function writeText(out: Sink, field: number, text: string): void {
  const start = openField(out, field);
  reserve(out, 3 * text.length);
  out.length += out.bytes.write(text, out.length);
  closeField(out, start);
}

/** Begins a length-delimited field. What is written until {@link closeField} gets the result is its content. */
export function openField(out: Sink, field: number): number {
  putVarint(out, (field << 3) | DELIMITED);
  reserve(out, 1);
  return ++out.length;
}

/** Ends the field whose content begins at `start`. */
export function closeField(out: Sink, start: number): void {
  const size = out.length - start;
  if (size < 128) {
    out.bytes[start - 1] = size;
    return;
  }
  // Nearly every field is short, so one byte was left for its length; a long one moves on.
  const moved = start - 1 + Math.ceil((32 - Math.clz32(size)) / 7);
  reserve(out, moved - start);
  out.bytes.copyWithin(moved, start, out.length);
  out.length = start - 1;
  putPositive(out, size);
  out.length += size;
}

function putPositive(out: Sink, value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.bytes[out.length++] = (rest % 128) | 128;
  out.bytes[out.length++] = rest;
}

function putLong(out: Sink, value: bigint): void {
  let rest = value;
  for (; rest > 127n; rest >>= 7n) out.bytes[out.length++] = Number(rest & 127n) | 128;
  out.bytes[out.length++] = Number(rest);
}

/** Appends these bytes. */
export function put(out: Sink, bytes: Uint8Array): void {
  reserve(out, bytes.length);
  out.bytes.set(bytes, out.length);
  out.length += bytes.length;
}

/** Makes room for `count` more bytes. */
function reserve(out: Sink, count: number): void {
  const needed = out.length + count;
  if (needed <= out.bytes.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, 2 * out.bytes.length));
  out.bytes.copy(grown, 0, 0, out.length);
  out.bytes = grown;
}

/** All fields of a message by number, in the order of the wire. @throws {TbuildError} invalid_argument */
export function parseFields(message: Uint8Array): Map<number, WireValue[]> {
  const fields = new Map<number, WireValue[]>();
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    const number = Number(tag.value >> 3n);
    const { value, next } = readValue(message, tag.next, Number(tag.value & 7n));
    const known = fields.get(number);
    if (known === undefined) fields.set(number, [value]);
    else known.push(value);
    at = next;
  }
  return fields;
}

/** Integers of a packed field. @throws {TbuildError} invalid_argument */
export function unpack(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at);
    values.push(value);
    at = next;
  }
  return values;
}

/** Text of UTF-8 bytes. @throws {TbuildError} invalid_argument when they are not */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw malformed("a string is not UTF-8", cause);
  }
}

/** The error for bytes that are no message of the expected type. */
export function malformed(why: string, cause?: unknown): TbuildError {
  return new TbuildError("invalid_argument", `Cannot decode protobuf message: ${why}`, { cause });
}

interface Read<T> {
  readonly value: T;
  readonly next: number;
}

function readValue(bytes: Uint8Array, at: number, type: number): Read<WireValue> {
  if (type === VARINT) return readVarint(bytes, at);
  if (type === FIXED64) return slice(bytes, at, 8);
  if (type === FIXED32) return slice(bytes, at, 4);
  if (type !== DELIMITED) throw malformed(`unknown wire type ${type}`);
  const length = readVarint(bytes, at);
  return slice(bytes, length.next, Number(length.value));
}

function slice(bytes: Uint8Array, at: number, length: number): Read<Uint8Array> {
  const next = at + length;
  if (next > bytes.length) throw malformed("message is cut short");
  return { value: bytes.subarray(at, next), next };
}

function readVarint(bytes: Uint8Array, at: number): Read<bigint> {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw malformed("message is cut short");
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + i + 1 };
  }
  throw malformed("an integer has more than ten bytes");
}
