import fs from "node:fs";
import type { Owner } from "../bulk/actionJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { hasCode, isTbuildError } from "../errors.js";
import { openDecompressed } from "../diff/decompress.js";
import { cannotUnpack, unpackError } from "../diff/errors.js";
import type { TarEntry } from "../diff/header.js";
import { createNode, restoreDirectory, type BodyReader } from "../diff/node.js";
import { openTar } from "../diff/reader.js";
import { createDirectoryFinder, type DirectoryFinder } from "../diff/rootPath.js";
import { lutimes } from "../sys/node.js";
import { readError } from "./fileError.js";
import { baseOf, componentsOf, joinPath, osPath } from "./names.js";
import { removePath } from "./removeTree.js";
import { lstatOrNull } from "./resolve.js";
import { toNs } from "./time.js";

/** Byte string paths. `root` is an existing directory, and "/" to every name and link in the archive. */
export interface UnpackInput {
  readonly file: string;
  readonly root: string;
  /** Null keeps the owners of the archive. */
  readonly owner: Owner | null;
  /** Seconds; null keeps the archive's. */
  readonly mtime: number | null;
}

/**
 * True for a tar, plain or compressed, by content: its first header is valid. Source: BuildKit file/unpack.go.
 * @throws {TbuildError} unsupported when the program for its compression is not installed, permission_denied
 */
export function isArchive(file: string): boolean {
  try {
    return withFile(file, (path) => {
      using source = openDecompressed(path);
      return openTar(source.read, () => {}).next() !== null;
    });
  } catch (error) {
    if (isTbuildError(error) && !hasCode(error, "unsupported") && !hasCode(error, "permission_denied")) return false;
    throw error;
  }
}

/**
 * Unpacks an archive over what `root` holds. What is in an entry's way is removed, directories merge, and files named
 * like whiteouts are plain files. Source: moby go-archive, Untar.
 * @throws {TbuildError} parse_failed, corrupt, unsupported, permission_denied
 */
export function unpackArchive(input: UnpackInput, ctx: JobContext): { files: number; bytes: number } {
  return withFile(input.file, (path) => {
    using source = openDecompressed(path);
    const tar = openTar(source.read, (chunk) => ctx.tick(chunk.length, 0));
    const dirs = createDirectoryFinder(input.root);
    const done = { files: 0, bytes: 0 };
    for (let entry = tar.next(); entry !== null; entry = tar.next()) {
      try {
        place(adapt(entry, input), tar.readBody, input.root, dirs);
      } catch (error) {
        throw unpackError(error, entry.name);
      }
      done.files++;
      done.bytes += entry.size;
      ctx.tick(0, 1);
    }
    setTimes(dirs, input);
    return done;
  });
}

/** The name of an open file works for `body` whatever bytes its real name has. */
function withFile<T>(file: string, body: (path: string) => T): T {
  let fd: number;
  try {
    fd = fs.openSync(osPath(file), "r");
  } catch (error) {
    throw readError(error, baseOf(file), "copied");
  }
  try {
    return body(`/proc/self/fd/${fd}`);
  } finally {
    fs.closeSync(fd);
  }
}

function adapt(entry: TarEntry, { owner, mtime }: UnpackInput): TarEntry {
  return { ...entry, ...owner, mtimeNs: toNs(mtime) ?? entry.mtimeNs };
}

function place(entry: TarEntry, readBody: BodyReader, root: string, dirs: DirectoryFinder): void {
  const parts = componentsOf(entry.name);
  const base = parts.pop();
  if (base === undefined) {
    if (entry.type === "dir") mergeDirectory("", entry, root, dirs);
    return;
  }
  const path = joinPath(dirs.find(parts, "create")!, base);
  const source = entry.type === "link" ? linkSource(entry, root, dirs) : null;
  if (source === path) return;
  const existing = lstatOrNull(joinPath(root, path));
  if (entry.type === "dir" && existing?.isDirectory()) return mergeDirectory(path, entry, root, dirs);
  if (existing !== null) {
    if (!existing.isFile()) dirs.forget(path);
    removePath(joinPath(root, path));
  }
  if (source !== null) fs.linkSync(osPath(joinPath(root, source)), osPath(joinPath(root, path)));
  else createNode(joinPath(root, path), entry, readBody);
  if (entry.type === "dir") dirs.times.set(path, entry.mtimeNs);
}

function mergeDirectory(path: string, entry: TarEntry, root: string, dirs: DirectoryFinder): void {
  restoreDirectory(joinPath(root, path), entry);
  dirs.times.set(path, entry.mtimeNs);
}

function linkSource(entry: TarEntry, root: string, dirs: DirectoryFinder): string {
  const parts = componentsOf(entry.linkName);
  const base = parts.pop();
  const dir = dirs.find(parts, "find");
  const source = base === undefined || dir === null ? null : joinPath(dir, base);
  const stat = source === null ? null : lstatOrNull(joinPath(root, source));
  if (source === null || stat === null || stat.isDirectory()) {
    throw cannotUnpack("corrupt", entry.name, "the file that it links to does not exist");
  }
  return source;
}

/** The finder gives implied directories the epoch; they are ours, so that they take our time where there is one. */
function setTimes(dirs: DirectoryFinder, { root, mtime }: UnpackInput): void {
  const implied = toNs(mtime) ?? 0n;
  for (const [dir, ns] of dirs.times) {
    const time = ns === 0n ? implied : ns;
    lutimes(osPath(joinPath(root, dir)), time, time);
  }
}
