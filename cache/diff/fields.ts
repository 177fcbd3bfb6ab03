import { malformedTar } from "./errors.js";

/** Bytes of a tar block. */
export const BLOCK = 512;

/** Latin1 text of a header field, up to its first NUL. */
export function readText(block: Buffer, offset: number, length: number): string {
  const nul = block.indexOf(0, offset);
  const end = nul < 0 || nul > offset + length ? offset + length : nul;
  return block.toString("latin1", offset, end);
}

/** Number in a header field: octal digits, or GNU's base-256 when the first bit is set. Empty is 0. */
export function readNumber(block: Buffer, offset: number, length: number): number {
  if ((block[offset]! & 0x80) !== 0) return readBase256(block, offset, length);
  const value = readOctal(block, offset, length);
  if (value === null) throw malformedTar("a number in a header is not octal");
  return value;
}

function readOctal(block: Buffer, offset: number, length: number): number | null {
  let at = offset;
  const end = offset + length;
  while (at < end && block[at] === 0x20) at++;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at]!;
    if (byte === 0 || byte === 0x20) break;
    if (byte < 0x30 || byte > 0x37) return null;
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

/** Two's complement, big-endian, the first bit of the field aside. */
function readBase256(block: Buffer, offset: number, length: number): number {
  const negative = (block[offset]! & 0x40) !== 0;
  let value = BigInt(block[offset]! & 0x7f);
  for (let at = offset + 1; at < offset + length; at++) value = (value << 8n) | BigInt(block[at]!);
  if (negative) value -= 1n << BigInt(length * 8 - 1);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformedTar("a number in a header is out of range");
  return number;
}

/** Writes `value` as octal digits that fill the field, with a NUL as its last byte. */
export function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  let rest = value;
  for (let at = offset + length - 2; at >= offset; at--) {
    block[at] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

/** Largest number that {@link writeOctal} can put in a field of `length` bytes. */
export function maxOctal(length: number): number {
  return 8 ** (length - 1) - 1;
}

const CHECKSUM_AT = 148;
const CHECKSUM_LENGTH = 8;

/** Fills in the checksum: the sum of all bytes with the checksum field taken as spaces. */
export function writeChecksum(block: Buffer): void {
  writeOctal(block, CHECKSUM_AT, CHECKSUM_LENGTH - 1, sumBytes(block).unsigned);
  block[CHECKSUM_AT + CHECKSUM_LENGTH - 1] = 0x20;
}

/** True when the checksum is right; historic writers that summed signed bytes are accepted. */
export function hasGoodChecksum(block: Buffer): boolean {
  const wanted = readOctal(block, CHECKSUM_AT, CHECKSUM_LENGTH);
  const { unsigned, signed } = sumBytes(block);
  return wanted === unsigned || wanted === signed;
}

function sumBytes(block: Buffer): { unsigned: number; signed: number } {
  let unsigned = CHECKSUM_LENGTH * 0x20;
  let high = 0;
  for (let at = 0; at < BLOCK; at++) {
    if (at === CHECKSUM_AT) at += CHECKSUM_LENGTH;
    const byte = block[at]!;
    unsigned += byte;
    high += byte >> 7;
  }
  return { unsigned, signed: unsigned - 256 * high };
}

const ZERO_BLOCK = Buffer.alloc(BLOCK);

/** True for a block of zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(ZERO_BLOCK);
}

/** `size` rounded up to whole blocks, minus `size`. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
