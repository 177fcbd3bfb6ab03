import { cannotPack, malformedTar } from "./errors.js";
import { BLOCK, hasGoodChecksum, maxOctal, paddingOf, readNumber, readText, writeChecksum, writeOctal } from "./fields.js";
import { formatPax, formatTime, XATTR_PREFIX } from "./pax.js";

/** `link` is a hard link. Sockets have no place in a tar. */
export type EntryType = "file" | "link" | "symlink" | "dir" | "char" | "block" | "fifo";

/** One entry of a tar. Names are latin1 strings: each character is one byte, whatever its encoding. */
export interface TarEntry {
  readonly type: EntryType;
  /** "/"-separated, no trailing "/". */
  readonly name: string;
  /** Target of a hard link (a name in the tar) or a symlink (any text); else empty. */
  readonly linkName: string;
  /** Permission bits with setuid, setgid and sticky; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Bytes of a file, holes included; 0 for everything else. */
  readonly size: number;
  readonly devMajor: number;
  readonly devMinor: number;
  /** Full names ("user.x", "security.capability") to values. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Further PAX records, latin1: those of layers for Windows. */
  readonly records?: ReadonlyMap<string, string>;
}

/** What one header block says before extended headers are applied. */
export interface HeaderBlock {
  /** One character; "\0" is an old "0". */
  readonly flag: string;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow in the archive. */
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly devMajor: number;
  readonly devMinor: number;
}

/** An entry without extended attributes. */
export const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

const flags: Readonly<Record<EntryType, string>> = {
  file: "0", link: "1", symlink: "2", char: "3", block: "4", dir: "5", fifo: "6",
};

/** Decodes v7, ustar, star and GNU headers. @throws {TbuildError} parse_failed when the checksum or a number is wrong */
export function decodeHeader(block: Buffer): HeaderBlock {
  if (!hasGoodChecksum(block)) throw malformedTar("a header has a wrong checksum");
  const magic = block.toString("latin1", 257, 263);
  const named = magic === "ustar\0" || magic === "ustar ";
  const name = readText(block, 0, 100);
  const prefix = magic === "ustar\0" ? readText(block, 345, block.toString("latin1", 508, 512) === "tar\0" ? 131 : 155) : "";
  const header = {
    flag: String.fromCharCode(block[156]!),
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: readText(block, 157, 100),
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    mtime: readNumber(block, 136, 12),
    devMajor: named ? readNumber(block, 329, 8) : 0,
    devMinor: named ? readNumber(block, 337, 8) : 0,
  };
  if (Math.min(header.uid, header.gid, header.size, header.devMajor, header.devMinor) < 0) {
    throw malformedTar("a header has a negative number");
  }
  return header;
}

/**
 * Header bytes of an entry, whole blocks: ustar, preceded by a PAX header only when a field does not fit. Equal entries
 * give equal bytes. The ustar prefix is never used (a long name is a PAX path); user and group names stay empty; names
 * that are not UTF-8 are written byte by byte, as GNU tar and Docker do.
 */
export function encodeEntry(entry: TarEntry): Buffer {
  const name = entry.type === "dir" ? `${entry.name}/` : entry.name;
  const records = paxRecords(entry, name);
  const main = encodeBlock(entry, name);
  if (records.size === 0) return main;
  const body = formatPax(records);
  const header = encodeBlock({ ...extended, size: body.length }, extended.name);
  header[156] = 0x78;
  writeChecksum(header);
  return Buffer.concat([header, body, Buffer.alloc(paddingOf(body.length)), main]);
}

const extended: TarEntry = {
  type: "file", name: "././@PaxHeader", linkName: "", mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, size: 0,
  devMajor: 0, devMinor: 0, xattrs: NO_XATTRS,
};

function paxRecords(entry: TarEntry, name: string): Map<string, string> {
  const records = new Map<string, string>(entry.records);
  if (!fitsText(name)) records.set("path", name);
  if (!fitsText(entry.linkName)) records.set("linkpath", entry.linkName);
  if (entry.size > maxOctal(12)) records.set("size", String(entry.size));
  if (entry.uid > maxOctal(8)) records.set("uid", String(entry.uid));
  if (entry.gid > maxOctal(8)) records.set("gid", String(entry.gid));
  if (!fitsTime(entry.mtimeNs)) records.set("mtime", formatTime(entry.mtimeNs));
  for (const [key, value] of entry.xattrs) {
    if (key.includes("=")) throw cannotPack(entry.name, `an extended attribute's name holds "="`);
    records.set(XATTR_PREFIX + key, value.toString("latin1"));
  }
  return records;
}

function fitsText(text: string): boolean {
  return text.length <= 100 && !/[^\0-\x7f]/.test(text);
}

function fitsTime(ns: bigint): boolean {
  return ns >= 0n && ns % 1_000_000_000n === 0n && ns / 1_000_000_000n <= BigInt(maxOctal(12));
}

function encodeBlock(entry: TarEntry, name: string): Buffer {
  if (Math.max(entry.devMajor, entry.devMinor) > maxOctal(8)) throw cannotPack(entry.name, "its device number is too large");
  const block = Buffer.alloc(BLOCK);
  writeText(block, 0, name);
  writeOctal(block, 100, 8, entry.mode);
  writeOctal(block, 108, 8, orZero(entry.uid, 8));
  writeOctal(block, 116, 8, orZero(entry.gid, 8));
  writeOctal(block, 124, 12, orZero(entry.size, 12));
  writeOctal(block, 136, 12, orZero(Number(entry.mtimeNs / 1_000_000_000n), 12));
  block.write(flags[entry.type], 156, "latin1");
  writeText(block, 157, entry.linkName);
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, 329, 8, entry.devMajor);
  writeOctal(block, 337, 8, entry.devMinor);
  writeChecksum(block);
  return block;
}

/** What does not fit is in the PAX header, so the field only has to be deterministic. */
function writeText(block: Buffer, offset: number, text: string): void {
  const ascii = /[^\0-\x7f]/.test(text) ? text.replace(/[^\0-\x7f]/g, "") : text;
  block.write(ascii, offset, 100, "latin1");
}

function orZero(value: number, length: number): number {
  return value < 0 || value > maxOctal(length) ? 0 : value;
}
