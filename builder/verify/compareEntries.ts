import { toText } from "../../cache/diff/estargz/toc.js";
import type { LayerContent, PlacedEntry } from "./mergeEntries.js";
import type { EntryDifference, ValueDifference } from "./report.js";

/** A path that differs. */
export interface DifferentEntry extends Omit<EntryDifference, "content"> {
  /** Null where only one side has it. */
  readonly image: PlacedEntry | null;
  readonly rebuilt: PlacedEntry | null;
  /** True when both are files with other bytes. */
  readonly otherContent: boolean;
  /** True when only times differ. */
  readonly timesOnly: boolean;
}

/** What differs between two contents: bytes and existence first, then attributes, times last; else by path. Pure. */
export function compareEntries(image: LayerContent, rebuilt: LayerContent): readonly DifferentEntry[] {
  const names = [...new Set([...image.keys(), ...rebuilt.keys()])].sort();
  const found = names.flatMap((name) => compareEntry(image.get(name) ?? null, rebuilt.get(name) ?? null));
  return [0, 1, 2].flatMap((weight) => found.filter((one) => weightOf(one) === weight));
}

function weightOf({ kind, timesOnly, otherContent, fields, type }: DifferentEntry): number {
  if (timesOnly) return 2;
  // A directory that only one tells of is most often there in both, from a layer below.
  if (kind !== "changed") return type === "directory" ? 1 : 0;
  return otherContent || fields.some(({ field }) => field === "type" || field === "target") ? 0 : 1;
}

function compareEntry(image: PlacedEntry | null, rebuilt: PlacedEntry | null): readonly DifferentEntry[] {
  const either = image ?? rebuilt;
  if (either === null) return [];
  if ((image === null || rebuilt === null) && either.undone) return [];
  const shown = { path: pathOf(either), type: typeOf(either), image, rebuilt };
  if (image === null || rebuilt === null) {
    return [{ ...shown, kind: image === null ? "only-rebuilt" : "only-image", fields: [], otherContent: false, timesOnly: false }];
  }
  const otherContent = image.digest !== null && rebuilt.digest !== null && image.digest !== rebuilt.digest;
  const fields = fieldsOf(image, rebuilt);
  if (fields.length === 0 && !otherContent) return [];
  return [{ ...shown, kind: "changed", fields, otherContent, timesOnly: !otherContent && fields.every(({ field }) => field === "mtime") }];
}

function pathOf({ name, type }: PlacedEntry): string {
  return `/${toText(type === "opaque" ? name.slice(0, -"/opaque".length) : name)}`;
}

const types: Readonly<Record<PlacedEntry["type"], string>> = {
  file: "file", link: "hard link", symlink: "symbolic link", dir: "directory", char: "character device", block: "block device", fifo: "fifo",
  whiteout: "removal", opaque: "removal of what was below",
};

function typeOf({ type }: PlacedEntry): string {
  return types[type];
}

function fieldsOf(image: PlacedEntry, rebuilt: PlacedEntry): readonly ValueDifference[] {
  if (image.type !== rebuilt.type) return [{ field: "type", image: typeOf(image), rebuilt: typeOf(rebuilt) }];
  // Of what is gone nothing else matters.
  if (image.type === "whiteout" || image.type === "opaque") return [];
  return attributes.flatMap(([field, read]) => {
    const [a, b] = [read(image), read(rebuilt)];
    return a === b ? [] : [{ field, image: a, rebuilt: b }];
  }).concat(xattrDifferences(image, rebuilt));
}

const attributes: readonly (readonly [string, (entry: PlacedEntry) => string | null])[] = [
  ["mode", ({ type, mode }) => (type === "symlink" ? null : mode.toString(8).padStart(4, "0"))],
  ["owner", ({ uid, gid }) => `${uid}:${gid}`],
  ["size", ({ size }) => String(size)],
  ["target", ({ type, linkName }) => (type === "symlink" || type === "link" ? toText(linkName) : null)],
  ["device", ({ devMajor, devMinor, type }) => (type === "char" || type === "block" ? `${devMajor}:${devMinor}` : null)],
  ["links", ({ links }) => (links.length === 0 ? null : links.map((name) => `/${toText(name)}`).join(" "))],
  ["mtime", ({ mtimeNs }) => formatTime(mtimeNs)],
];

/** RFC 3339 with as many digits as there are. */
function formatTime(ns: bigint): string {
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = Number((ns - fraction) / 1_000_000_000n);
  const date = new Date(seconds * 1000);
  const whole = Number.isNaN(date.getTime()) ? `@${seconds}` : date.toISOString().slice(0, 19);
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${digits}Z`;
}

function xattrDifferences(image: PlacedEntry, rebuilt: PlacedEntry): readonly ValueDifference[] {
  const names = [...new Set([...Object.keys(image.xattrs), ...Object.keys(rebuilt.xattrs)])].sort();
  return names.flatMap((name) => {
    const [a, b] = [image.xattrs[name] ?? null, rebuilt.xattrs[name] ?? null];
    return a === b ? [] : [{ field: `xattr ${toText(name)}`, image: xattrText(a), rebuilt: xattrText(b) }];
  });
}

/** Hex of what is no plain text. */
function xattrText(value: string | null): string | null {
  if (value === null || /^[ -~]*$/.test(value)) return value;
  return `0x${Buffer.from(value, "latin1").toString("hex")}`;
}
