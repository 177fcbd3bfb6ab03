import type { ListedFile, NewEntry, TreeWrite } from "../../cache/bulk/treeEntries.js";
import { makeDevice } from "../../cache/sys/node.js";
import { parentOf, toBytes } from "../../cache/tree/names.js";
import type { FileStat } from "../api/sessionFiles.js";
import { fromGoMode, kindOf, typeBits } from "./goMode.js";
import { badPath, comparePaths, createPathOrder } from "./pathOrder.js";

/**
 * Turns a client's list of files, one by one, into changes of a tree that has some of them already. What it gives back must
 * be made in that order.
 */
export interface IncomingTree {
  /** The next entry; the file that must be fetched for it, or null. @throws {TbuildError} path_escape, corrupt, invalid_argument */
  add(stat: FileStat): IncomingFile | null;
  /** There are no more entries. */
  end(): void;
  /** Changes since the last call. */
  takeWrites(): readonly TreeWrite[];
  /** What must be done when every file is there: further names of them, and times of directories. */
  finish(): readonly TreeWrite[];
}

/** A file to fetch: what `write` will make of it at its end. */
export interface IncomingFile {
  readonly path: string;
  readonly size: number;
  readonly as: NewEntry;
}

/** "metadata": a file of equal size, time, mode and owner is the same; "none": every file is fetched. */
export type Differ = "metadata" | "none";

/** An incoming tree on top of what `old` lists, which is in the order of `listTree`. */
export function incomingTree(old: readonly ListedFile[], differ: Differ): IncomingTree {
  const order = createPathOrder();
  /** Regular files so far; those of true are new. */
  const files = new Map<string, boolean>();
  const changedIn = new Set<string>();
  const links: TreeWrite[] = [];
  const directories: { readonly path: string; readonly mtimeNs: bigint; readonly old: ListedFile | null }[] = [];
  let writes: TreeWrite[] = [];
  let at = 0;

  const remove = (path: string): void => {
    writes.push({ kind: "remove", path });
    changedIn.add(parentOf(path));
    while (at < old.length && old[at]!.path.startsWith(`${path}/`)) at++;
  };
  /** Removes what comes before `path` in the old tree; what is there of this name is returned. */
  const upTo = (path: string): ListedFile | null => {
    for (;;) {
      const next = old[at];
      const compared = next === undefined ? 1 : comparePaths(next.path, path);
      if (compared > 0) return null;
      at++;
      if (compared === 0) return next!;
      remove(next!.path);
    }
  };
  const addDirectory = (path: string, as: NewEntry, before: ListedFile | null): void => {
    directories.push({ path, mtimeNs: as.mtimeNs, old: before });
    if (before === null) writes.push({ kind: "directory", path, isNew: true, as });
    else if (!sameOwnerAndMode(before, as)) writes.push({ kind: "directory", path, isNew: false, as });
  };
  const isSame = (before: ListedFile, mode: number, stat: FileStat, as: NewEntry): boolean => {
    const link = byteString(stat.linkname);
    if (differ === "none" || typeBits(before.mode) !== typeBits(mode) || before.link !== link) return false;
    if (before.mtimeNs !== as.mtimeNs || !sameOwnerAndMode(before, as)) return false;
    return kindOf(mode) === "file" ? before.size === stat.size && files.get(link) !== true : before.device === deviceOf(stat, mode);
  };
  return {
    add(stat) {
      const path = byteString(stat.path);
      const mode = fromGoMode(stat.mode);
      if (!isUint32(stat.uid) || !isUint32(stat.gid) || stat.size < 0) throw badPath("corrupt", path, "its metadata are out of range");
      const kind = kindOf(mode);
      order.check(path, kind === "directory");
      const link = kind === "file" ? byteString(stat.linkname) : "";
      if (link !== "" && !files.has(link)) throw badPath("corrupt", path, "it is a second name of a file that was not sent before it");
      const as = entryOf(stat, mode);
      const before = upTo(path);
      if (kind === "directory" && before !== null && kindOf(before.mode) === kind) {
        addDirectory(path, as, before);
        return null;
      }
      const same = before !== null && isSame(before, mode, stat, as);
      if (kind === "file" && link === "") files.set(path, !same);
      if (same) return null;
      if (before !== null) remove(path);
      changedIn.add(parentOf(path));
      if (kind === "file" && link === "") return { path, size: stat.size, as };
      if (kind === "file") links.push({ kind: "link", path, target: link });
      else if (kind === "directory") addDirectory(path, as, null);
      else if (kind === "symlink") writes.push({ kind, path, target: targetOf(stat, path), as });
      else writes.push({ kind, path, type: typeBits(mode), device: deviceOf(stat, mode), as });
      return null;
    },
    end() {
      while (at < old.length) remove(old[at++]!.path);
    },
    takeWrites() {
      const taken = writes;
      writes = [];
      return taken;
    },
    finish: () => [
      ...links,
      ...directories
        .filter(({ path, mtimeNs, old: before }) => before?.mtimeNs !== mtimeNs || changedIn.has(path))
        .map(({ path, mtimeNs }): TreeWrite => ({ kind: "time", path, mtimeNs })),
    ],
  };
}

function entryOf({ uid, gid, mtimeNs, xattrs }: FileStat, mode: number): NewEntry {
  const names = Object.keys(xattrs);
  return {
    mode: mode & 0o7777,
    owner: { uid, gid },
    mtimeNs,
    xattrs: names.length === 0 ? null : new Map(names.map((name) => [toBytes(name), xattrs[name]!])),
  };
}

/** A link's own mode means nothing. */
function sameOwnerAndMode(before: ListedFile, { mode, owner }: NewEntry): boolean {
  const modes = kindOf(before.mode) === "symlink" || (before.mode & 0o7777) === mode;
  return modes && before.uid === owner.uid && before.gid === owner.gid;
}

function deviceOf({ devMajor, devMinor }: FileStat, mode: number): bigint {
  return kindOf(mode) === "node" ? makeDevice(devMajor, devMinor) : 0n;
}

function targetOf({ linkname }: FileStat, path: string): string {
  const target = byteString(linkname);
  if (target === "" || target.includes("\0")) throw badPath("invalid_argument", path, "it is a symbolic link to nowhere");
  return target;
}

function isUint32(n: number): boolean {
  return n >= 0 && n <= 0xffff_ffff;
}

function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
