import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../../cache/errors.js";
import { splitDevice } from "../../../cache/sys/node.js";
import { realPathInRoot, resolvedInRoot } from "../../executor/rootFile.js";
import { toGoMode } from "../../session/goMode.js";

/** What a client sees of an entry of a tree: fsutil's Stat. */
export interface EntryStat {
  readonly path: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly modTime: bigint;
  readonly linkname: Uint8Array;
  readonly devMajor: number;
  readonly devMinor: number;
}

/** Part of a file; a length of 0 is all that follows the offset. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A message has to fit into what clients take. */
const MAX_BYTES = 16 * 2 ** 20 - 1024;

/** Bytes of a file in a tree, whose links do not lead out. @throws {TbuildError} not_found, invalid_argument, resource_exhausted */
export function readRefFile(root: string, file: string, range: ByteRange | null): Buffer {
  const found = resolvedInRoot(root, file);
  if (found === null) throw missing("open", file);
  const stat = lstatSync(found);
  if (!stat.isFile()) throw new TbuildError("invalid_argument", `Cannot read "${file}": it is no regular file`);
  const { offset = 0, length = 0 } = range ?? {};
  const size = Math.max(0, Math.min(stat.size - offset, length === 0 ? stat.size : length));
  if (size > MAX_BYTES) throw new TbuildError("resource_exhausted", `Cannot read "${file}": ${size} bytes are too many for one answer`);
  const bytes = Buffer.alloc(size);
  const fd = openSync(found, "r");
  try {
    const read = size === 0 ? 0 : readSync(fd, bytes, 0, size, offset);
    return bytes.subarray(0, read);
  } finally {
    closeSync(fd);
  }
}

/** Entries of a directory by name, those that `pattern` fits (as a file name's pattern; "" is all). @throws {TbuildError} not_found */
export function readRefDirectory(root: string, dir: string, pattern: string): readonly EntryStat[] {
  const found = resolvedInRoot(root, dir === "" ? "." : dir);
  if (found === null || !lstatSync(found).isDirectory()) throw missing("open", dir);
  const fits = pattern === "" ? () => true : nameFilter(pattern);
  return readdirSync(found).filter(fits).sort(byBytes).map((name) => statOf(path.join(found, name), name));
}

/** An entry; a link is told as such. @throws {TbuildError} not_found */
export function statRefFile(root: string, file: string): EntryStat {
  const clean = path.posix.join("/", file);
  const found = clean === "/" ? root : realPathInRoot(root, clean);
  if (found === null || lstatSync(found, { throwIfNoEntry: false }) === undefined) throw missing("lstat", file);
  return statOf(found, clean === "/" ? "." : path.posix.basename(clean));
}

function statOf(file: string, name: string): EntryStat {
  const stat = lstatSync(file, { bigint: true });
  const { major, minor } = stat.isBlockDevice() || stat.isCharacterDevice() ? splitDevice(stat.rdev) : { major: 0, minor: 0 };
  return {
    path: Buffer.from(name),
    mode: toGoMode(Number(stat.mode)),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.isDirectory() ? 0 : Number(stat.size),
    modTime: stat.mtimeNs,
    linkname: stat.isSymbolicLink() ? readlinkSync(file, "buffer") : new Uint8Array(),
    devMajor: major,
    devMinor: minor,
  };
}

/** `*`, `?` and `[…]` of Go's path/filepath.Match, in one name. */
function nameFilter(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/\\(.)|\[(\^?)([^\]]*)\]|([.+^${}()|\]])|\*|\?/g, (all, escaped?: string, not?: string, set?: string) => {
    if (escaped !== undefined) return `\\${escaped}`;
    if (set !== undefined) return `[${not}${set.replaceAll("\\", "\\\\")}]`;
    if (all === "*") return "[^/]*";
    return all === "?" ? "[^/]" : `\\${all}`;
  });
  const expression = new RegExp(`^${source}$`, "s");
  return (name) => expression.test(name);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function missing(call: string, file: string): TbuildError {
  return new TbuildError("not_found", `${call} ${file}: no such file or directory`);
}
