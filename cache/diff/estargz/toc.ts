import { digestOf, type Digest } from "../../oci/digest.js";
import { BLOCK, paddingOf } from "../fields.js";
import { encodeEntry, NO_XATTRS, type EntryType, type TarEntry } from "../header.js";

/** Name of the table of contents, which a layer must not have itself. */
export const TOC_NAME = "stargz.index.json";

/**
 * One entry of the table of contents. A file longer than a chunk has one of type "reg" and further ones of type "chunk".
 * Source: stargz-snapshotter, docs/estargz.md "TOC and TOCEntry"
 */
export interface TocEntry {
  readonly name: string;
  readonly type: "dir" | "reg" | "symlink" | "hardlink" | "char" | "block" | "fifo" | "chunk";
  readonly size?: number;
  /** RFC 3339, whole seconds; absent for the epoch. */
  readonly modtime?: string;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Where the gzip member of this chunk starts in the blob; while nothing is compressed yet: where its bytes are in the tar. */
  readonly offset?: number;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** Values in base64. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Of a file's whole content. */
  readonly digest?: Digest;
  /** Where the chunk starts in the file. */
  readonly chunkOffset?: number;
  /** Absent for a chunk that goes to the end of its file. */
  readonly chunkSize?: number;
  readonly chunkDigest?: Digest;
}

const types: Readonly<Record<EntryType, TocEntry["type"]>> = {
  file: "reg", dir: "dir", symlink: "symlink", link: "hardlink", char: "char", block: "block", fifo: "fifo",
};

/** A tar's entry in the table of contents, but for where its content is. Names that are not UTF-8 are not told apart. */
export function tocEntry(entry: TarEntry): TocEntry {
  const { type, mode, uid, gid, size, devMajor, devMinor } = entry;
  const xattrs = [...entry.xattrs].map(([key, value]) => [key, Buffer.from(value).toString("base64")] as const);
  const modtime = formatSeconds(entry.mtimeNs);
  return {
    name: `${toText(entry.name)}${type === "dir" ? "/" : ""}`,
    type: types[type],
    ...(size === 0 ? {} : { size }),
    ...(modtime === null ? {} : { modtime }),
    ...(entry.linkName === "" ? {} : { linkName: toText(entry.linkName) }),
    ...nonZero({ mode, uid, gid, devMajor, devMinor }),
    ...(xattrs.length === 0 ? {} : { xattrs: Object.fromEntries(xattrs.sort(([a], [b]) => (a < b ? -1 : 1))) }),
  };
}

/** Latin1 to UTF-8. */
export function toText(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

// Of the years 1 to 9999.
const [FIRST_SECOND, LAST_SECOND] = [-62_135_596_800, 253_402_300_799];

/** Rounded to seconds; null for the epoch and for what RFC 3339 cannot tell. */
function formatSeconds(ns: bigint): string | null {
  const seconds = Math.round(Number(ns / 1_000_000n) / 1000);
  if (seconds === 0 || seconds < FIRST_SECOND || seconds > LAST_SECOND) return null;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function nonZero(fields: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0));
}

/** The tar that ends an eStargz layer: the table of contents alone. `digest` is that of its JSON. */
export function tocTar(entries: readonly TocEntry[]): { readonly tar: Buffer; readonly digest: Digest } {
  const json = Buffer.from(JSON.stringify({ version: 1, entries }, null, "\t"));
  const header = encodeEntry({
    type: "file", name: TOC_NAME, linkName: "", mode: 0, uid: 0, gid: 0, mtimeNs: 0n, size: json.length,
    devMajor: 0, devMinor: 0, xattrs: NO_XATTRS,
  });
  return { tar: Buffer.concat([header, json, Buffer.alloc(paddingOf(json.length) + 2 * BLOCK)]), digest: digestOf(json) };
}

/** Bytes of {@link footer}. */
export const FOOTER_BYTES = 51;

/** Ends the blob: an empty gzip member that says where the one with the table of contents starts. */
export function footer(tocOffset: number): Buffer {
  const offset = tocOffset.toString(16).padStart(16, "0");
  // Flags: an extra field of 26 bytes; in it a subfield "SG" of 22 bytes.
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, 0x53, 0x47, 22, 0]);
  // A last block that is stored and empty; checksum and length of nothing.
  const nothing = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(`${offset}STARGZ`, "latin1"), nothing]);
}
