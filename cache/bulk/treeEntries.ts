import type { IgnoreRules } from "../tree/patterns.js";

/** What to list of a tree. */
export interface ListTreeInput {
  readonly path: string;
  readonly xattrs: boolean;
  /** Absent: all of it. A directory is listed for what is listed below it. */
  readonly only?: TreeSelection;
}

/** A part of a tree. Ignore rules count before the patterns. */
export interface TreeSelection {
  readonly ignore: IgnoreRules;
  /** None is all that there is, unless `follow` names some. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Further paths, with what links on their way lead to. */
  readonly follow: readonly string[];
}

/** An entry of a tree. Names are byte strings. */
export interface ListedFile {
  /** Relative to the tree's root. */
  readonly path: string;
  /** Type and permission bits, as in st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for a directory and for a further name of a file. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** A symlink's target, or the path under which a file with several names was listed first; else "". */
  readonly link: string;
  /** Number of a device, as in st_rdev; else 0. */
  readonly device: bigint;
  /** By name (a byte string); null when they were not asked for, or there are none. */
  readonly xattrs: ReadonlyMap<string, Uint8Array> | null;
}

/** What every entry but a further name has. Modes are permission bits with setuid, setgid and sticky; times in ns. */
export interface NewEntry {
  readonly mode: number;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly mtimeNs: bigint;
  /** By name (a byte string), or null. */
  readonly xattrs: ReadonlyMap<string, Uint8Array> | null;
}

/**
 * One change of a tree. Paths are relative byte strings; whoever makes the list knows that each parent is a directory, and
 * no link, when its turn comes, and that nothing else has the name.
 */
export type TreeWrite = { readonly path: string } & (
  | { readonly kind: "remove" }
  /** Makes a directory, or changes the one that is there. Its time is set by "time", once it is filled. */
  | { readonly kind: "directory"; readonly isNew: boolean; readonly as: NewEntry }
  | { readonly kind: "symlink"; readonly target: string; readonly as: NewEntry }
  /** A device or FIFO; `type` are the type bits of st_mode. */
  | { readonly kind: "node"; readonly type: number; readonly device: bigint; readonly as: NewEntry }
  /** The next so many bytes of a file: its first ones when `isNew`, its last ones when `as` says what becomes of it. */
  | { readonly kind: "file"; readonly isNew: boolean; readonly bytes: number; readonly as: NewEntry | null }
  /** A further name of the file `target`. */
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "time"; readonly mtimeNs: bigint }
);
