import type { IgnoreRules } from "../tree/patterns.js";
import type { Selection } from "./hashJobs.js";

/** Owner of what an action creates; null keeps the source's owner. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Copies files of one tree into another; `dest` says where. */
export interface CopyAction {
  readonly kind: "copy";
  /** Root of the tree to read. */
  readonly sourceRoot: string;
  readonly ignore: IgnoreRules;
  readonly selection: Selection;
  /** Absolute path in the target tree; a trailing "/" says directory. Symlinks are resolved inside the target. */
  readonly dest: string;
  readonly owner: Owner | null;
  /** Octal mode for every file and directory, or null to keep. */
  readonly mode: number | null;
  /** Symbolic mode ("u=rwX,go=rX"), or null. */
  readonly modeText: string | null;
  readonly createDestPath: boolean;
  /** Unpack local tar archives (sniffed by content) at dest instead of copying them. */
  readonly unpack: boolean;
  /** Owner of what an unpacked archive holds; null keeps the archive's. */
  readonly archiveOwner: Owner | null;
  readonly replaceExisting: boolean;
  /** mtime in seconds for everything written; null keeps the source's. */
  readonly mtime: number | null;
}

/** Makes a directory; one that is there already is a success. */
export interface MkdirAction {
  readonly kind: "mkdir";
  readonly path: string;
  readonly mode: number;
  readonly makeParents: boolean;
  readonly owner: Owner | null;
  readonly mtime: number | null;
}

/** Writes a file. */
export interface MkfileAction {
  readonly kind: "mkfile";
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
  readonly owner: Owner | null;
  readonly mtime: number | null;
}

/** Removes files. */
export interface RmAction {
  readonly kind: "rm";
  readonly path: string;
  readonly allowNotFound: boolean;
  readonly wildcard: boolean;
}

/** Makes a symlink at `path`. */
export interface SymlinkAction {
  readonly kind: "symlink";
  readonly target: string;
  readonly path: string;
  readonly owner: Owner | null;
  readonly mtime: number | null;
}

/** One action of a file step. */
export type FileAction = CopyAction | MkdirAction | MkfileAction | RmAction | SymlinkAction;

/** Actions on one tree, in order. */
export interface FileActionsInput {
  /** Root of a mounted, writable tree. */
  readonly root: string;
  readonly actions: readonly FileAction[];
}

/** What the actions wrote. */
export interface FileActionsOutput {
  readonly files: number;
  readonly bytes: number;
}
