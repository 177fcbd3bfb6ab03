import zlib from "node:zlib";
import { TbuildError } from "../errors.js";

/**
 * The files of a cache mount without their bytes, which are in packs. Paths, names and targets are byte strings. The first entry is the
 * root, "", and each entry comes after the directory that it is in.
 */
export interface PackedTree {
  readonly entries: readonly PackedEntry[];
}

/** Attributes as in `NewEntry`; `mtime` in decimal nanoseconds, values of `xattrs` in base64. */
interface Attributes {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: string;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** One file, directory or link; `to` of a hard link is the path of a regular file before it. */
export type PackedEntry =
  | (Attributes & { readonly type: "directory" })
  | (Attributes & { readonly type: "file"; readonly chunks: readonly PackedChunk[] })
  | (Attributes & { readonly type: "symlink"; readonly to: string })
  | { readonly path: string; readonly type: "link"; readonly to: string };

/** Index of the pack, offset and length in its uncompressed bytes, and the hex SHA-256 of the chunk. */
export type PackedChunk = readonly [pack: number, offset: number, length: number, sha256: string];

/** A regular file of a tree. */
export type PackedFile = Extract<PackedEntry, { readonly type: "file" }>;

/** No pack has more uncompressed bytes. */
export const MAX_PACK = 24 << 20;
/** Uncompressed bytes of a tree that is read. */
const MAX_TREE = 256 << 20;

/** The tree as a blob. The same tree is the same bytes. */
export function encodeTree({ entries }: PackedTree): Buffer {
  return zlib.gzipSync(JSON.stringify({ version: 1, entries }), { level: 6 });
}

/**
 * A tree from its blob. Nothing in it leads out of the tree: names are plain, directories come first, and no link is passed
 * through. `packs`: how many there are. @throws {TbuildError} corrupt
 */
export function decodeTree(bytes: Uint8Array, packs: number): PackedTree {
  const { version, entries } = (parse(bytes) ?? {}) as { readonly version?: unknown; readonly entries?: unknown };
  if (version !== 1 || !Array.isArray(entries)) throw malformed("it is of no form that is known");
  const directories = new Set<string>();
  const files = new Set<string>();
  const seen = new Set<string>();
  for (const [index, entry] of (entries as readonly PackedEntry[]).entries()) {
    checkPlace(entry, index, directories);
    if (seen.has(entry.path)) throw malformed(`"${entry.path}" is there twice`);
    seen.add(entry.path);
    if (entry.type !== "link") checkAttributes(entry);
    if (entry.type === "directory") directories.add(entry.path);
    else if (entry.type === "file") files.add(checkChunks(entry, packs).path);
    else if (entry.type === "symlink") checkTarget(entry.to, entry.path);
    else if (entry.type !== "link" || !files.has(entry.to)) throw malformed(`"${(entry as PackedEntry).path}" is nothing that may be there`);
  }
  return { entries: entries as readonly PackedEntry[] };
}

/** Bytes of a file. */
export function fileBytes({ chunks }: PackedFile): number {
  return chunks.reduce((sum, [, , length]) => sum + length, 0);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(zlib.gunzipSync(bytes, { maxOutputLength: MAX_TREE }).toString("utf8"));
  } catch (error) {
    throw malformed((error as Error).message, error);
  }
}

/** Of what the kernel's signed 64 bits hold of nanoseconds. */
const MAX_TIME = 9.2e18;

/** True for what can be a name in the file system. */
function isByteString(text: string): boolean {
  return !text.includes("\0") && !/[\u0100-\uffff]/.test(text);
}

function checkPlace(entry: PackedEntry, index: number, directories: ReadonlySet<string>): void {
  const path = (entry as PackedEntry | null)?.path;
  if (typeof path !== "string" || !isByteString(path)) throw malformed("an entry has no path");
  if ((path === "") !== (index === 0) || (path === "" && entry.type !== "directory")) throw malformed("its root is not its first directory");
  if (path === "") return;
  const at = path.lastIndexOf("/");
  const name = path.slice(at + 1);
  if (name === "" || name === "." || name === ".." || at === 0) throw malformed(`"${path}" is no plain path`);
  if (!directories.has(at < 0 ? "" : path.slice(0, at))) throw malformed(`"${path}" is in no directory of it`);
}

function checkAttributes({ path, mode, uid, gid, mtime, xattrs = {} }: Attributes): void {
  const isId = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < 0xffffffff;
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777 || !isId(uid) || !isId(gid)) throw malformed(`"${path}" has no mode or owner`);
  if (typeof mtime !== "string" || !/^-?\d{1,19}$/.test(mtime) || Math.abs(Number(mtime)) > MAX_TIME) throw malformed(`"${path}" has no time`);
  if (typeof xattrs !== "object" || Object.entries(xattrs).some(([name, value]) => !isByteString(name) || typeof value !== "string")) {
    throw malformed(`"${path}" has attributes that are none`);
  }
}

function checkTarget(to: unknown, path: string): void {
  if (typeof to !== "string" || to === "" || !isByteString(to)) throw malformed(`"${path}" leads nowhere`);
}

function checkChunks(file: PackedFile, packs: number): PackedFile {
  const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
  if (!Array.isArray(file.chunks)) throw malformed(`"${file.path}" has no content`);
  for (const chunk of file.chunks as readonly unknown[]) {
    const [pack, offset, length, sha256] = (Array.isArray(chunk) ? chunk : []) as unknown[];
    const fits = isCount(pack) && pack < packs && isCount(offset) && isCount(length) && length > 0 && offset + length <= MAX_PACK;
    if (!fits || typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) throw malformed(`"${file.path}" has content that is nowhere`);
  }
  return file;
}

function malformed(why: string, cause?: unknown): TbuildError {
  return new TbuildError("corrupt", `Cannot read the files of a cache mount: ${why}`, { cause });
}
