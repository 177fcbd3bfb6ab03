import fs from "node:fs";
import { fsPath } from "./rootPath.js";
import { readXattrs } from "./xattrs.js";

/** A file of a tree; the path is latin1. */
export interface KnownFile {
  readonly path: string;
  readonly stat: fs.BigIntStats;
}

/** Files up to this size are compared byte by byte when their metadata is equal; a larger one is taken as unchanged. */
const MAX_COMPARED = 1 << 20;

/**
 * True when a layer need not mention the file (of a directory: its own metadata). A program may change a file and put its
 * old time back, which only costs a look at small files.
 */
export function isUnchanged(before: KnownFile, after: KnownFile): boolean {
  const [a, b] = [before.stat, after.stat];
  if (a.dev === b.dev && a.ino === b.ino) return true;
  const same = a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.mtimeNs === b.mtimeNs && a.rdev === b.rdev;
  if (!same || !sameXattrs(before.path, after.path)) return false;
  if (a.isSymbolicLink()) return readLink(before.path) === readLink(after.path);
  return !a.isFile() || (a.size === b.size && (a.size > MAX_COMPARED || sameContent(before.path, after.path)));
}

function readLink(path: string): string {
  return fs.readlinkSync(fsPath(path), "latin1");
}

function sameXattrs(before: string, after: string): boolean {
  const [a, b] = [readXattrs(before), readXattrs(after)];
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value) === true);
}

function sameContent(before: string, after: string): boolean {
  return fs.readFileSync(fsPath(before)).equals(fs.readFileSync(fsPath(after)));
}
