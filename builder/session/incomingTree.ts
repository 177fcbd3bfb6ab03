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
  const changes: Changes = { writes: [], links: [], directories: [], changedIn: new Set(), files: new Map() };
  const before = oldTree(old, (path) => remove(changes, path));
  return {
    add(stat) {
      const entry = readEntry(stat);
      order.check(entry.path, entry.kind === "directory");
      if (entry.hardLink !== "" && !changes.files.has(entry.hardLink)) {
        throw badPath("corrupt", entry.path, "it is a second name of a file that was not sent before it");
      }
      return place(changes, entry, before, differ);
    },
    end: () => before.rest(),
    takeWrites: () => changes.writes.splice(0),
    finish: () => [
      ...changes.links,
      ...changes.directories
        .filter(({ path, as, was }) => was?.mtimeNs !== as.mtimeNs || changes.changedIn.has(path))
        .map(({ path, as }): TreeWrite => ({ kind: "time", path, mtimeNs: as.mtimeNs })),
    ],
  };
}

/** What has come of the entries so far. */
interface Changes {
  readonly writes: TreeWrite[];
  readonly links: TreeWrite[];
  readonly directories: { readonly path: string; readonly as: NewEntry; readonly was: ListedFile | null }[];
  /** Directories whose times are no longer what they were. */
  readonly changedIn: Set<string>;
  /** Regular files; those of true are new. */
  readonly files: Map<string, boolean>;
}

/** An entry as the client describes it. */
interface Entry {
  readonly path: string;
  readonly kind: ReturnType<typeof kindOf>;
  /** The type bits of st_mode. */
  readonly type: number;
  readonly as: NewEntry;
  readonly size: number;
  /** A symlink's target, or what {@link hardLink} is. */
  readonly link: string;
  /** Path of the file of which this is a further name, or "". */
  readonly hardLink: string;
  readonly device: bigint;
}

/** What is there already, walked beside the list that comes. */
interface OldTree {
  /** What is there at this path; all that comes before it in order, and was not asked for, is gone. */
  at(path: string): ListedFile | null;
  /** Passes over what is below this path. */
  skip(path: string): void;
  /** The rest is gone. */
  rest(): void;
}

function oldTree(old: readonly ListedFile[], gone: (path: string) => void): OldTree {
  let next = 0;
  const skip = (path: string): void => {
    while (next < old.length && old[next]!.path.startsWith(`${path}/`)) next++;
  };
  const drop = (path: string): void => {
    gone(path);
    next++;
    skip(path);
  };
  return {
    at(path) {
      for (;;) {
        const found = old[next];
        const compared = found === undefined ? 1 : comparePaths(found.path, path);
        if (compared > 0) return null;
        if (compared < 0) drop(found!.path);
        else return old[next++]!;
      }
    },
    skip,
    rest() {
      while (next < old.length) drop(old[next]!.path);
    },
  };
}

function remove({ writes, changedIn }: Changes, path: string): void {
  writes.push({ kind: "remove", path });
  changedIn.add(parentOf(path));
}

/** Puts an entry where it belongs; gives the file that must be fetched for it. */
function place(changes: Changes, entry: Entry, before: OldTree, differ: Differ): IncomingFile | null {
  const { path, kind, as } = entry;
  const was = before.at(path);
  const stays = was !== null && kind === "directory" && kindOf(was.mode) === kind;
  if (kind === "directory") changes.directories.push({ path, as, was: stays ? was : null });
  if (stays) {
    if (!sameOwnerAndMode(was, as)) changes.writes.push({ kind, path, isNew: false, as });
    return null;
  }
  const same = was !== null && differ === "metadata" && isSame(was, entry, changes.files);
  if (kind === "file" && entry.hardLink === "") changes.files.set(path, !same);
  if (same) return null;
  if (was !== null) {
    remove(changes, path);
    before.skip(path);
  }
  return create(changes, entry);
}

function create({ writes, links, changedIn }: Changes, { path, kind, as, link, hardLink, size, type, device }: Entry): IncomingFile | null {
  changedIn.add(parentOf(path));
  if (kind === "file" && hardLink === "") return { path, size, as };
  if (kind === "file") links.push({ kind: "link", path, target: hardLink });
  else if (kind === "directory") writes.push({ kind, path, isNew: true, as });
  else if (kind === "symlink") writes.push({ kind, path, target: link, as });
  else writes.push({ kind, path, type, device, as });
  return null;
}

/** A further name of a file is the same only when the file is. */
function isSame(was: ListedFile, { type, kind, as, link, hardLink, size, device }: Entry, files: Changes["files"]): boolean {
  if (typeBits(was.mode) !== type || was.link !== link || was.mtimeNs !== as.mtimeNs || !sameOwnerAndMode(was, as)) return false;
  return kind === "file" ? was.size === size && files.get(hardLink) !== true : was.device === device;
}

function readEntry(stat: FileStat): Entry {
  const path = byteString(stat.path);
  const link = byteString(stat.linkname);
  const mode = fromGoMode(stat.mode);
  const kind = kindOf(mode);
  const small = [stat.uid, stat.gid, stat.devMajor, stat.devMinor].every((n) => n >= 0 && n <= 0xffff_ffff);
  if (!small || stat.size < 0) throw badPath("corrupt", path, "its metadata are out of range");
  if (kind === "symlink" && (link === "" || link.includes("\0"))) throw badPath("invalid_argument", path, "it is a symbolic link to nowhere");
  return {
    path,
    kind,
    type: typeBits(mode),
    as: entryOf(stat, mode),
    size: stat.size,
    link: kind === "symlink" || kind === "file" ? link : "",
    hardLink: kind === "file" ? link : "",
    device: kind === "node" ? makeDevice(stat.devMajor, stat.devMinor) : 0n,
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

function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
