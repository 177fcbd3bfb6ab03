import fs from "node:fs";
import type { BigIntStats } from "node:fs";
import { lutimes, mknod } from "../sys/node.js";
import { lgetxattr, llistxattr, lsetxattr } from "../sys/xattr.js";

/** Told after each file; may throw to stop. */
export type Tick = (bytes: number, files: number) => void;

/**
 * Copies the content and attributes of the directory `from` to the empty directory `to`: owners, modes, times to the
 * nanosecond, extended attributes, devices, and hard links among the copied files. Names need not be UTF-8.
 */
export function copyTree(from: string, to: string, tick: Tick = () => {}): void {
  // "/." because `from` may be a link below /proc/self/fd.
  copyDirectory(Buffer.from(`${from}/.`), Buffer.from(to), { links: new Map(), tick, place: copyFile });
}

/**
 * Like {@link copyTree}, but what is no directory becomes another hard link to the file of `from`, where the file system
 * allows one more. Both trees then share these files, so that neither may change. `to` itself keeps its attributes.
 */
export function linkTree(from: string, to: string, tick: Tick = () => {}): void {
  copyEntries(Buffer.from(`${from}/.`), Buffer.from(to), { links: new Map(), tick, place: linkFile });
}

interface Copying {
  /** Where the first of several hard links went, by identity. */
  readonly links: Map<string, Buffer>;
  readonly tick: Tick;
  /** Makes `to` out of the entry `from`, which is no directory. */
  readonly place: (from: Buffer, to: Buffer, stat: BigIntStats) => void;
}

function copyEntries(from: Buffer, to: Buffer, how: Copying): void {
  for (const name of fs.readdirSync(from, { encoding: "buffer" })) copyEntry(join(from, name), join(to, name), how);
}

function copyDirectory(from: Buffer, to: Buffer, how: Copying): void {
  copyEntries(from, to, how);
  copyAttributes(from, to, fs.lstatSync(from, { bigint: true }));
}

function copyEntry(from: Buffer, to: Buffer, how: Copying): void {
  const stat = fs.lstatSync(from, { bigint: true });
  how.tick(stat.isFile() ? Number(stat.size) : 0, 1);
  if (stat.isDirectory()) {
    fs.mkdirSync(to);
    return copyDirectory(from, to, how);
  }
  const first = linkTarget(stat, to, how.links);
  if (first !== null) return fs.linkSync(first, to);
  how.place(from, to, stat);
}

function copyFile(from: Buffer, to: Buffer, stat: BigIntStats): void {
  copyNode(from, to, stat);
  copyAttributes(from, to, stat);
}

function linkFile(from: Buffer, to: Buffer, stat: BigIntStats): void {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EMLINK" && code !== "EXDEV" && code !== "EPERM") throw error;
    copyFile(from, to, stat);
  }
}

// The copy of the same file under an earlier name, if there is one.
function linkTarget(stat: BigIntStats, to: Buffer, links: Map<string, Buffer>): Buffer | null {
  if (stat.nlink < 2n) return null;
  const identity = `${stat.dev}:${stat.ino}`;
  const first = links.get(identity);
  if (first === undefined) links.set(identity, to);
  return first ?? null;
}

function copyNode(from: Buffer, to: Buffer, stat: BigIntStats): void {
  if (stat.isFile()) fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  else if (stat.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(from, { encoding: "buffer" }), to);
  else mknod(to, Number(stat.mode), stat.rdev);
}

// In this order: chown clears set-user-ID bits and file capabilities, and every change but the last moves the times.
function copyAttributes(from: Buffer, to: Buffer, stat: BigIntStats): void {
  fs.lchownSync(to, Number(stat.uid), Number(stat.gid));
  for (const name of llistxattr(from)) {
    const value = lgetxattr(from, name);
    if (value !== null) lsetxattr(to, name, value);
  }
  if (!stat.isSymbolicLink()) fs.chmodSync(to, Number(stat.mode) & 0o7777);
  lutimes(to, stat.atimeNs, stat.mtimeNs);
}

function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from("/"), name]);
}
