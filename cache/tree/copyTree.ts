import fs, { type BigIntStats } from "node:fs";
import type { Owner } from "../bulk/actionJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { mknod } from "../sys/node.js";
import { copyFile, inodeOf } from "./copyFile.js";
import { errnoOf, inTheWay } from "./fileError.js";
import type { TreeFilter } from "./filter.js";
import type { ModeChange } from "./mode.js";
import { joinPath, osPath, parentOf } from "./names.js";
import type { SourceFile } from "./readFile.js";
import { removePath } from "./removeTree.js";
import { changeOwner, handsDownGroup, isSelf, type Target } from "./target.js";
import { modeOf, readLink, walkTree, type TreeEntry, type WalkStart } from "./walk.js";
import { copyXattrs } from "./xattrs.js";

/** How entries are written. */
export interface CopyOptions {
  /** Null keeps the source's. */
  readonly owner: Owner | null;
  /** Null keeps the source's. */
  readonly mode: ModeChange | null;
  /** mtime in ns of what is written for a source. */
  timeOf(stat: BigIntStats): bigint;
  /**
   * When a file and a directory meet: "refuse" is an error, "replace" removes what was there, "overwrite" removes a
   * file for a directory but never a directory for a file. A file or link always replaces a file or link.
   */
  readonly conflict: "refuse" | "replace" | "overwrite";
}

/** What was copied. */
export interface Copied {
  files: number;
  bytes: number;
}

interface OpenDirectory {
  readonly existing: boolean;
  readonly handsDown: boolean;
}

interface CopyJob {
  readonly from: WalkStart;
  readonly target: Target;
  readonly dest: string;
  readonly options: CopyOptions;
  readonly ctx: JobContext;
  readonly copied: Copied;
  /** Inode of a source with several names → the path it was copied to. */
  readonly links: Map<string, string>;
  /** The directories above the entry that is being copied. */
  readonly open: OpenDirectory[];
}

/**
 * Copies the file or directory `from` to the path `dest` of `target`, whose parent is an existing directory; directories
 * merge. Hard links among the copied files stay; sockets are left out. A merged directory takes the source's owner, mode
 * and attributes, except the topmost one, which only takes the time. Source: BuildKit fsutil/copy.
 * @throws {TbuildError} unavailable, permission_denied, invalid_argument
 */
export function copyTree(
  from: WalkStart, filter: TreeFilter, target: Target, dest: string, options: CopyOptions, ctx: JobContext, copied: Copied,
): void {
  const open = [{ existing: true, handsDown: handsDownGroup(target.lstat(parentOf(dest))) }];
  const job: CopyJob = { from, target, dest, options, ctx, copied, links: new Map(), open };
  if (dest !== "") target.touch(parentOf(dest));
  walkTree(from, filter, { enter: (entry) => enter(entry, job), leave: (entry) => leave(entry, job) });
}

function enter(entry: TreeEntry, job: CopyJob): void {
  const path = joinPath(job.dest, entry.path);
  if (entry.stat.isDirectory()) job.open.push(enterDirectory(path, job));
  else if (!entry.stat.isSocket()) copyEntry(entry, path, job);
}

function leave(entry: TreeEntry, { dest, open, from, target, options, ctx }: CopyJob): void {
  if (!entry.stat.isDirectory()) return;
  const { existing } = open.pop()!;
  const path = joinPath(dest, entry.path);
  if (!existing || entry.path !== "") {
    const at = target.at(path);
    changeOwner(at, ownerOf(entry.stat, options));
    fs.chmodSync(at, modeFor(entry.stat, options));
    copyXattrs(joinPath(from.root, entry.treePath), joinPath(target.root, path));
  }
  target.setTime(path, options.timeOf(entry.stat));
  ctx.tick(0, 1);
}

function copyEntry(entry: TreeEntry, path: string, job: CopyJob): void {
  try {
    writeEntry(entry, path, job);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    makeRoom(path, job);
    writeEntry(entry, path, job);
  }
  job.copied.files++;
  if (entry.stat.isFile()) job.copied.bytes += Number(entry.stat.size);
  job.ctx.tick(0, 1);
}

function writeEntry(entry: TreeEntry, path: string, job: CopyJob): void {
  const { stat } = entry;
  const { from, target, links, options } = job;
  const inode = stat.nlink > 1n ? inodeOf(stat) : null;
  const first = inode === null ? undefined : links.get(inode);
  if (first !== undefined) return fs.linkSync(target.at(first), target.at(path));
  const source = { path: joinPath(from.root, entry.treePath), shown: entry.treePath, stat };
  if (stat.isFile()) copyRegular(source, path, job);
  else copySpecial(source, target.at(path), options);
  copyXattrs(source.path, joinPath(target.root, path));
  target.setTime(path, options.timeOf(stat));
  if (inode !== null) links.set(inode, path);
}

function copyRegular(source: SourceFile, path: string, { open, target, options, ctx }: CopyJob): void {
  const owner = ownerOf(source.stat, options);
  const given = isSelf(owner) && !open.at(-1)!.handsDown;
  copyFile(source, target.at(path), { mode: modeFor(source.stat, options), owner: given ? null : owner }, ctx);
}

function copySpecial({ path, shown, stat }: SourceFile, at: string | Buffer, options: CopyOptions): void {
  const mode = modeFor(stat, options);
  const isLink = stat.isSymbolicLink();
  if (isLink) fs.symlinkSync(osPath(readLink(path, shown, "copied")), at);
  else mknod(at, Number(stat.mode & 0o170000n) | mode, stat.rdev);
  changeOwner(at, ownerOf(stat, options));
  if (!isLink) fs.chmodSync(at, mode);
}

function enterDirectory(path: string, { target, open, options }: CopyJob): OpenDirectory {
  const stat = target.lstat(path);
  if (stat?.isDirectory()) return { existing: true, handsDown: handsDownGroup(stat) };
  if (stat !== null) {
    if (options.conflict === "refuse") throw inTheWay("copy directory to", `/${path}`, "a file of this name exists");
    removePath(joinPath(target.root, path));
  }
  fs.mkdirSync(target.at(path), 0o700);
  return { existing: false, handsDown: open.at(-1)!.handsDown };
}

function makeRoom(path: string, { target, options }: CopyJob): void {
  if (options.conflict !== "replace" && target.lstat(path)?.isDirectory()) {
    throw inTheWay("copy file to", `/${path}`, "a directory of this name exists");
  }
  removePath(joinPath(target.root, path));
}

function ownerOf(stat: BigIntStats, { owner }: CopyOptions): Owner {
  return owner ?? { uid: Number(stat.uid), gid: Number(stat.gid) };
}

function modeFor(stat: BigIntStats, { mode }: CopyOptions): number {
  return mode === null ? modeOf(stat) : mode(modeOf(stat), stat.isDirectory());
}
