import fs, { type BigIntStats } from "node:fs";
import type { ExportTreeInput, TarPart } from "../bulk/exportJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { fromSystemError } from "../errors.js";
import { NO_XATTRS, type EntryType, type TarEntry } from "../diff/header.js";
import { createTarWriter, type TarWriter } from "../diff/writer.js";
import { readXattrs } from "../diff/xattrs.js";
import { splitDevice } from "../sys/node.js";
import { inodeOf } from "./copyFile.js";
import { copyTree, type Copied } from "./copyTree.js";
import { treeFilter } from "./filter.js";
import { joinPath, osPath, toBytes } from "./names.js";
import { withSource } from "./readFile.js";
import { lstatOrNull } from "./resolve.js";
import { openTarget } from "./target.js";
import { toNs } from "./time.js";
import { modeOf, readLink, walkTree, type TreeEntry, type WalkStart } from "./walk.js";

/**
 * Copies a whole tree into a directory of the user's, or emits it as a tar in byte order. The directory is made when
 * missing; below it links are replaced, never followed, files are overwritten, and a directory is never removed for
 * a file. Owners are kept when we are root.
 * @throws {TbuildError} invalid_argument, unavailable, permission_denied, resource_exhausted
 */
export function exportTree(input: ExportTreeInput, ctx: JobContext): Copied {
  const root = toBytes(input.root);
  const start = { root, treePath: "", stat: fs.lstatSync(osPath(root), { bigint: true }) };
  const clamp = toNs(input.clampMtime);
  const timeOf = (stat: BigIntStats) => (clamp !== null && stat.mtimeNs > clamp ? clamp : stat.mtimeNs);
  const copied: Copied = { files: 0, bytes: 0 };
  if (input.to.kind === "tar") exportTar(start, input.to, timeOf, ctx, copied);
  else exportDirectory(start, input.to.path, timeOf, ctx, copied);
  return copied;
}

type TimeOf = (stat: BigIntStats) => bigint;
const everything = treeFilter([], { include: [], exclude: [] });

function exportDirectory(start: WalkStart, dest: string, timeOf: TimeOf, ctx: JobContext, copied: Copied): void {
  const path = osPath(toBytes(dest));
  try {
    fs.mkdirSync(path, { recursive: true, mode: 0o755 });
    const target = openTarget(fs.realpathSync(path, "latin1"));
    copyTree(start, everything, target, "", { owner: null, mode: null, timeOf, conflict: "overwrite" }, ctx, copied);
  } catch (error) {
    throw fromSystemError(error, dest);
  }
}

function exportTar(start: WalkStart, { into, after, last }: TarPart, timeOf: TimeOf, ctx: JobContext, copied: Copied): void {
  const writer = createTarWriter(ctx.emit, (bytes) => ctx.tick(bytes, 0));
  const links = new Map<string, string>();
  const under = toBytes(into);
  const earlier = after.map(toBytes);
  walkTree(start, everything, {
    enter(entry) {
      const name = joinPath(under, entry.path);
      const isThere = earlier.some((root) => entry.path === "" || lstatOrNull(joinPath(root, entry.path)) !== null);
      if (name === "" || entry.stat.isSocket() || isThere) return;
      const inode = entry.stat.nlink > 1n && !entry.stat.isDirectory() ? inodeOf(entry.stat) : null;
      const first = inode === null ? undefined : links.get(inode);
      if (first === undefined) writeEntry(start.root, { ...entry, path: name }, timeOf, writer, copied);
      else writer.writeHeader({ ...tarEntry(start.root, { ...entry, path: name }, timeOf), type: "link", linkName: first, size: 0 });
      if (inode !== null && first === undefined) links.set(inode, name);
      copied.files++;
      ctx.tick(0, 1);
    },
  });
  if (last) writer.finish();
  else writer.flush();
}

function writeEntry(root: string, entry: TreeEntry, timeOf: TimeOf, writer: TarWriter, copied: Copied): void {
  const header = tarEntry(root, entry, timeOf);
  if (!entry.stat.isFile()) return writer.writeHeader(header);
  withSource({ path: joinPath(root, entry.treePath), shown: entry.treePath, stat: entry.stat }, "copied", (fd) => {
    writer.writeHeader(header);
    if (header.size > 0) writer.writeBody(fd, header);
  });
  copied.bytes += header.size;
}

function tarEntry(root: string, { path, treePath, stat }: TreeEntry, timeOf: TimeOf): TarEntry {
  const source = joinPath(root, treePath);
  const device = stat.isBlockDevice() || stat.isCharacterDevice() ? splitDevice(stat.rdev) : { major: 0, minor: 0 };
  const xattrs = readXattrs(source);
  return {
    type: typeOf(stat),
    name: path,
    linkName: stat.isSymbolicLink() ? readLink(source, treePath, "copied") : "",
    mode: modeOf(stat),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: timeOf(stat),
    size: stat.isFile() ? Number(stat.size) : 0,
    devMajor: device.major,
    devMinor: device.minor,
    xattrs: xattrs.size === 0 ? NO_XATTRS : new Map([...xattrs].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function typeOf(stat: BigIntStats): EntryType {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "dir";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  return stat.isBlockDevice() ? "block" : "char";
}
