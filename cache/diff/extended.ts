import { TbuildError } from "../errors.js";
import type { ByteStream } from "./byteStream.js";
import { malformedTar } from "./errors.js";
import { paddingOf, readText } from "./fields.js";
import type { EntryType, HeaderBlock, TarEntry } from "./header.js";
import { WINDOWS_PREFIX } from "./windows.js";
import { MAX_EXTENDED, parseDecimal, parsePax, parseTime, XATTR_PREFIX, type PaxRecords } from "./pax.js";

/** What the headers before an entry's own say of it. */
export interface Extended {
  readonly records: PaxRecords;
  /** Of GNU's "L" and "K" entries. */
  readonly longName: string | null;
  readonly longLink: string | null;
}

/** Nothing said. */
export const NOT_EXTENDED: Extended = { records: new Map(), longName: null, longLink: null };

/** True for a header that belongs to the next entry, or to all that follow ("g"). */
export function isExtension(flag: string): boolean {
  return flag === "x" || flag === "g" || flag === "L" || flag === "K";
}

/** Reads the body of an extension and adds it to what is known; what an entry says itself wins over global records. */
export function readExtension(stream: ByteStream, header: HeaderBlock, known: Extended): Extended {
  if (header.size > MAX_EXTENDED) throw malformedTar("an extended header is longer than 1 MiB");
  const body = Buffer.from(stream.readExactly(header.size));
  stream.skip(paddingOf(header.size));
  if (header.flag === "L") return { ...known, longName: readText(body, 0, body.length) };
  if (header.flag === "K") return { ...known, longLink: readText(body, 0, body.length) };
  return { ...known, records: new Map([...known.records, ...parsePax(body)]) };
}

/** Joins global records with those of one entry; an empty value takes a record away. */
export function mergeRecords(globals: PaxRecords, own: PaxRecords): PaxRecords {
  if (globals.size === 0 && own.size === 0) return own;
  const merged = new Map([...globals, ...own]);
  for (const [keyword, value] of merged) if (value === "") merged.delete(keyword);
  return merged;
}

/** Type of an entry by its flag. Old tars mark directories by a "/" at the end. */
export function entryType(flag: string, name: string): EntryType {
  switch (flag) {
    case "\0": case "0": case "7":
      return name.endsWith("/") ? "dir" : "file";
    case "S": return "file";
    case "1": return "link";
    case "2": return "symlink";
    case "3": return "char";
    case "4": return "block";
    case "5": case "D": return "dir";
    case "6": return "fifo";
    default:
      throw new TbuildError("unsupported", `Cannot read tar: entries of type ${JSON.stringify(flag)} are not known`);
  }
}

/** Puts an entry together. `extended` holds the merged records; `size` is that of a file with its holes. */
export function buildEntry(type: EntryType, name: string, header: HeaderBlock, extended: Extended, size: number): TarEntry {
  if (name === "") throw malformedTar("an entry has no name");
  const { records, longLink } = extended;
  const mtime = records.get("mtime");
  const isLink = type === "link" || type === "symlink";
  const linkName = isLink ? (records.get("linkpath") ?? longLink ?? header.linkName) : "";
  if (isLink && linkName === "") throw malformedTar("a link has no target");
  return {
    type,
    name: name.replace(/(?<=.)\/+$/s, ""),
    linkName,
    mode: header.mode,
    uid: readOwner(records.get("uid"), header.uid),
    gid: readOwner(records.get("gid"), header.gid),
    mtimeNs: mtime === undefined ? BigInt(header.mtime) * 1_000_000_000n : parseTime(mtime),
    size: type === "file" ? size : 0,
    devMajor: header.devMajor,
    devMinor: header.devMinor,
    xattrs: readXattrs(records),
    ...windowsRecords(records),
  };
}

/** The last number is chown's "leave it alone", so it is nobody's. */
function readOwner(record: string | undefined, field: number): number {
  const owner = record === undefined ? field : parseDecimal(record, "the owner of an entry");
  if (owner >= 0xffffffff) throw malformedTar("the owner of an entry is out of range");
  return owner;
}

function windowsRecords(records: PaxRecords): Pick<TarEntry, "records"> {
  const own = [...records].filter(([key]) => key.startsWith(WINDOWS_PREFIX));
  return own.length === 0 ? {} : { records: new Map(own) };
}

function readXattrs(records: PaxRecords): ReadonlyMap<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of records) {
    if (key.startsWith(XATTR_PREFIX)) xattrs.set(key.slice(XATTR_PREFIX.length), Buffer.from(value, "latin1"));
  }
  return xattrs;
}
