import { TbuildError } from "../../cache/errors.js";

/** Value of one field on the wire: a varint (64 bits, unsigned) or the bytes of a length-delimited field. */
export type WireValue = bigint | Uint8Array;

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Nearly every number of a definition: tags, lengths, indices. Never written to. */
const SHORT = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));

/** The fewest bytes for this integer; a negative one takes ten, as int32 and int64 do. Source: protobuf "Encoding". */
export function varint(value: number | bigint): Uint8Array {
  const short = typeof value === "number" ? SHORT[value] : undefined;
  if (short !== undefined) return short;
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Appends a varint field, also when it is zero. */
export function writeVarint(out: Uint8Array[], field: number, value: number | bigint): void {
  out.push(varint((field << 3) | VARINT), varint(value));
}

/** Appends a length-delimited field, also when it is empty. */
export function writeBytes(out: Uint8Array[], field: number, bytes: Uint8Array): void {
  out.push(varint((field << 3) | DELIMITED), varint(bytes.length), bytes);
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
  return new TbuildError("invalid_argument", `Cannot decode build definition: ${why}`, { cause });
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
