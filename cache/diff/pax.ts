import { malformedTar } from "./errors.js";

/** Records of one extended header, keyword to value, both latin1. An empty value removes what was known before. */
export type PaxRecords = ReadonlyMap<string, string>;

/** Longest extended header or long name that is read, in bytes; Go's archive/tar draws the same line. */
export const MAX_EXTENDED = 1 << 20;

/** Keyword prefix of an extended attribute; the rest is its name. */
export const XATTR_PREFIX = "SCHILY.xattr.";

const SPARSE_OFFSET = "GNU.sparse.offset";
const SPARSE_BYTES = "GNU.sparse.numbytes";

/** Keyword of a sparse map, "offset,length,…". Repeated GNU 0.0 records are folded into it. */
export const SPARSE_MAP = "GNU.sparse.map";

/** Parses the body of an extended header. @throws {TbuildError} parse_failed. Source: POSIX pax, "Extended Header" */
export function parsePax(body: Buffer): PaxRecords {
  const records = new Map<string, string>();
  const sparse: string[] = [];
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = recordLength(body, at, space);
    const equals = body.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= at + length || equals === space + 1) throw malformedTar("a PAX record has no keyword");
    const keyword = body.toString("latin1", space + 1, equals);
    const value = body.toString("latin1", equals + 1, at + length - 1);
    checkNul(keyword, value);
    if (keyword === SPARSE_OFFSET || keyword === SPARSE_BYTES) addSparse(sparse, keyword, value);
    else records.set(keyword, value);
    at += length;
  }
  if (sparse.length > 0) records.set(SPARSE_MAP, sparse.join(","));
  return records;
}

function recordLength(body: Buffer, at: number, space: number): number {
  const digits = space < 0 || space - at > 7 ? "" : body.toString("latin1", at, space);
  const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
  const fits = length > digits.length + 2 && at + length <= body.length;
  if (!fits || body[at + length - 1] !== 0x0a) throw malformedTar("a PAX record has a wrong length");
  return length;
}

/** Only extended attributes may hold NULs, and only in their values. */
function checkNul(keyword: string, value: string): void {
  const nul = keyword.includes("\0") || (value.includes("\0") && !keyword.startsWith(XATTR_PREFIX));
  if (nul && !keyword.startsWith("LIBARCHIVE.")) throw malformedTar("a PAX record holds a NUL");
}

function addSparse(sparse: string[], keyword: string, value: string): void {
  const offsetNext = sparse.length % 2 === 0;
  if (offsetNext !== (keyword === SPARSE_OFFSET) || value.includes(",")) throw malformedTar("a sparse map is out of order");
  sparse.push(value);
}

/** Body of an extended header: records sorted by keyword, so that equal entries have equal bytes. */
export function formatPax(records: PaxRecords): Buffer {
  const lines = [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([keyword, value]) => formatRecord(keyword, value));
  return Buffer.from(lines.join(""), "latin1");
}

/** The length counts its own digits. */
function formatRecord(keyword: string, value: string): string {
  const rest = keyword.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${keyword}=${value}\n`;
}

/** A non-negative decimal record. @throws {TbuildError} parse_failed */
export function parseDecimal(text: string, what: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformedTar(`${what} is not a number`);
  return value;
}

/** "sec[.fraction]" as nanoseconds; digits past the ninth are dropped. @throws {TbuildError} parse_failed */
export function parseTime(text: string): bigint {
  const match = /^(-?)([0-9]{1,12})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) throw malformedTar("a PAX time is not a number");
  const ns = BigInt(match[2]!) * 1_000_000_000n + BigInt((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  return match[1] === "-" ? -ns : ns;
}

/** Inverse of {@link parseTime}, without trailing zeros. */
export function formatTime(ns: bigint): string {
  const positive = ns < 0n ? -ns : ns;
  const fraction = String(positive % 1_000_000_000n).padStart(9, "0").replace(/0+$/, "");
  const seconds = `${ns < 0n ? "-" : ""}${positive / 1_000_000_000n}`;
  return fraction === "" ? seconds : `${seconds}.${fraction}`;
}
