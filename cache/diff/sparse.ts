import { TbuildError } from "../errors.js";
import { malformedTar } from "./errors.js";
import { BLOCK, readNumber } from "./fields.js";
import { parseDecimal, SPARSE_MAP, type PaxRecords } from "./pax.js";

/** A piece of a file that has bytes in the archive; between pieces is a hole of zeros. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** What an archive says of a sparse file. */
export interface SparseMap {
  /** Name of the file, when the entry's own name is a stand-in. */
  readonly name: string | null;
  /** Size of the file with its holes. */
  readonly size: number;
  readonly segments: readonly Segment[];
  /** Bytes of the entry's body that the map itself took. */
  readonly mapBytes: number;
}

/** Pieces of a map that are read; a file of this many pieces is refused rather than held in memory. */
const MAX_SEGMENTS = 1 << 20;

/** Old GNU format (type "S"): map in the header and in extension blocks after it. */
export function readOldSparse(block: Buffer, readBlock: () => Buffer): SparseMap {
  const size = readNumber(block, 483, 12);
  const segments = readSlots(block, 386, 4);
  let more = block[482] !== 0;
  while (more) {
    const extension = readBlock();
    segments.push(...readSlots(extension, 0, 21));
    more = extension[504] !== 0;
    checkCount(segments.length);
  }
  return { name: null, size, segments, mapBytes: 0 };
}

function readSlots(block: Buffer, offset: number, count: number): Segment[] {
  const slots: Segment[] = [];
  for (let at = offset; at < offset + count * 24 && block[at] !== 0; at += 24) {
    slots.push({ offset: readNumber(block, at, 12), length: readNumber(block, at + 12, 12) });
  }
  return slots;
}

/** PAX formats 0.0, 0.1 and 1.0, or null for a file that is not sparse. `readBlock` gives the body's next block. */
export function readPaxSparse(records: PaxRecords, readBlock: () => Buffer): SparseMap | null {
  const major = records.get("GNU.sparse.major");
  const minor = records.get("GNU.sparse.minor");
  const name = records.get("GNU.sparse.name") ?? null;
  const size = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
  if (major === undefined && size === undefined && !records.has(SPARSE_MAP)) return null;
  if (size === undefined) throw malformedTar("a sparse file has no size");
  const real = parseDecimal(size, "the size of a sparse file");
  if (major === "1" && minor === "0") return { name, size: real, ...readBodyMap(readBlock) };
  if (major !== undefined && major !== "0") {
    throw new TbuildError("unsupported", `Cannot read tar: sparse files of version "${major}.${minor ?? ""}" are not known`);
  }
  const map = records.get(SPARSE_MAP) ?? "";
  return { name, size: real, segments: pairUp(map === "" ? [] : map.split(",")), mapBytes: 0 };
}

/** Version 1.0: decimal lines (count, then offset and length of each piece) in whole blocks before the data. */
function readBodyMap(readBlock: () => Buffer): { segments: Segment[]; mapBytes: number } {
  let mapBytes = 0;
  let rest = "";
  const nextLine = (): string => {
    while (!rest.includes("\n")) {
      if (rest.length > 32) throw malformedTar("a sparse map has no lines");
      rest += readBlock().toString("latin1");
      mapBytes += BLOCK;
    }
    const end = rest.indexOf("\n");
    const line = rest.slice(0, end);
    rest = rest.slice(end + 1);
    return line;
  };
  const count = parseDecimal(nextLine(), "the length of a sparse map");
  checkCount(count);
  const numbers: string[] = [];
  for (let at = 0; at < count * 2; at++) numbers.push(nextLine());
  return { segments: pairUp(numbers), mapBytes };
}

function pairUp(numbers: readonly string[]): Segment[] {
  if (numbers.length % 2 !== 0) throw malformedTar("a sparse map is not made of pairs");
  const segments: Segment[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    const [offset, length] = [numbers[at]!, numbers[at + 1]!];
    segments.push({ offset: parseDecimal(offset, "a sparse map"), length: parseDecimal(length, "a sparse map") });
  }
  return segments;
}

function checkCount(count: number): void {
  if (count > MAX_SEGMENTS) throw new TbuildError("unsupported", "Cannot read tar: a sparse file has too many pieces");
}

/** Pieces must be in order, inside the file, and take exactly `bodyBytes`. @throws {TbuildError} parse_failed */
export function checkSegments(segments: readonly Segment[], size: number, bodyBytes: number): void {
  if (size < 0) throw malformedTar("a sparse file has a negative size");
  let end = 0;
  let total = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0 || offset + length > size) throw malformedTar("a sparse map does not fit its file");
    end = offset + length;
    total += length;
  }
  if (total !== bodyBytes) throw malformedTar("a sparse map does not fit its data");
}
