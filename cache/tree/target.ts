import fs, { type BigIntStats } from "node:fs";
import type { Owner } from "../bulk/actionJobs.js";
import { lutimes } from "../sys/node.js";
import { errnoOf, inTheWay } from "./fileError.js";
import { joinPath, osPath, parentOf } from "./names.js";
import { lstatOrNull } from "./resolve.js";
import { modeOf } from "./walk.js";

/** A tree that is being written. Paths are byte strings below its root, without symlinks on their way. */
export interface Target {
  readonly root: string;
  /** The path as the kernel takes it. */
  at(path: string): string | Buffer;
  lstat(path: string): BigIntStats | null;
  /** Keeps the times of an existing directory whose entries are about to change. */
  touch(dir: string): void;
  /** Sets the time (ns) of what was written; later than any change below it. */
  setTime(path: string, ns: bigint): void;
  /** Gives back the times of the directories that were touched and not set. */
  restoreTimes(): void;
}

/** How {@link makeDirectories} makes a directory. `time` in ns; null leaves it at now. */
export interface NewDirectory {
  readonly mode: number;
  readonly owner: Owner | null;
  readonly time: bigint | null;
}

/** Starts to write below `root` (byte string, a directory). */
export function openTarget(root: string): Target {
  const kept = new Map<string, bigint>();
  const at = (path: string) => osPath(joinPath(root, path));
  const lstat = (path: string) => lstatOrNull(joinPath(root, path));
  return {
    root,
    at,
    lstat,
    touch(dir) {
      if (kept.has(dir)) return;
      const stat = lstat(dir);
      if (stat !== null) kept.set(dir, stat.mtimeNs);
    },
    setTime(path, ns) {
      kept.delete(path);
      lutimes(at(path), ns, ns);
    },
    restoreTimes() {
      for (const [dir, ns] of kept) if (lstat(dir) !== null) lutimes(at(dir), ns, ns);
      kept.clear();
    },
  };
}

/**
 * Makes a directory and its missing parents; existing ones stay as they are. Returns whether it made `path` itself.
 * @throws {TbuildError} invalid_argument when a file is in the way
 */
export function makeDirectories(target: Target, path: string, as: NewDirectory): boolean {
  const stat = target.lstat(path);
  if (stat !== null) {
    if (stat.isDirectory()) return false;
    throw inTheWay("make directory", `/${path}`, "a file of this name exists");
  }
  const parent = parentOf(path);
  makeDirectories(target, parent, as);
  makeDirectory(target, path, as);
  return true;
}

/** Makes one directory whose parent exists. */
export function makeDirectory(target: Target, path: string, as: NewDirectory): void {
  target.touch(parentOf(path));
  fs.mkdirSync(target.at(path), 0o700);
  if (as.owner !== null) changeOwner(target.at(path), as.owner);
  fs.chmodSync(target.at(path), as.mode);
  if (as.time !== null) {
    target.setTime(path, as.time);
    target.touch(path);
  }
}

const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/** True when a new file has this owner without being told, given its directory hands down no group. */
export function isSelf(owner: Owner): boolean {
  return owner.uid === self.uid && owner.gid === self.gid;
}

/** lchown(2); without root's rights files stay ours, as with cp and tar. */
export function changeOwner(path: string | Buffer, owner: Owner): void {
  unlessUnprivileged(() => fs.lchownSync(path, owner.uid, owner.gid));
}

/** Like {@link changeOwner} for an open file. */
export function changeOwnerOf(fd: number, owner: Owner): void {
  unlessUnprivileged(() => fs.fchownSync(fd, owner.uid, owner.gid));
}

function unlessUnprivileged(chown: () => void): void {
  try {
    chown();
  } catch (error) {
    if (self.uid === 0 || errnoOf(error) !== "EPERM") throw error;
  }
}

/** True when new entries of this directory get its group (and directories its setgid bit). */
export function handsDownGroup(stat: BigIntStats | null): boolean {
  return stat !== null && (modeOf(stat) & 0o2000) !== 0;
}
