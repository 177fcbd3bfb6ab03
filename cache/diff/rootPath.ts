import fs from "node:fs";
import { cannotUnpack, escapingEntry } from "./errors.js";

/** A latin1 path for `node:fs`: text where that is the same bytes (and faster), else the bytes. */
export function fsPath(path: string): string | Buffer {
  return /[^\0-\x7f]/.test(path) ? Buffer.from(path, "latin1") : path;
}

/** A path in JavaScript text as latin1, one character a byte. */
export function toLatin1(path: string): string {
  return Buffer.from(path).toString("latin1");
}

/** Joins two relative paths of which the first may be empty. */
export function joinPath(dir: string, name: string): string {
  return dir === "" ? name : `${dir}/${name}`;
}

/** The part before the last "/", or empty. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/**
 * Components of a name in a tar: a leading "/" and "." mean nothing, ".." takes one away.
 * @throws {TbuildError} path_escape when nothing is left to take away
 */
export function splitName(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw escapingEntry(name);
  }
  return parts;
}

/** Finds directories of a tree as a process would whose "/" is the tree's root. Safe while nobody else writes there. */
export interface DirectoryFinder {
  /**
   * Real path of a directory, relative to the root (empty: the root), with symlinks followed inside the tree. What is
   * missing is created ("create"), or gives null ("find"). @throws {TbuildError} corrupt when a component is a file
   */
  find(parts: readonly string[], missing: "create" | "find"): string | null;
  /** mtime in nanoseconds that each directory shall have in the end, by real path. A new one has the epoch. */
  readonly times: Map<string, bigint>;
  /** Must be called when a directory or symlink is removed. */
  forget(path: string): void;
}

// As many as Linux follows in one lookup.
const MAX_LINKS = 40;

/** `root` is latin1 and must be a real directory. */
export function createDirectoryFinder(root: string): DirectoryFinder {
  const times = new Map([["", fs.lstatSync(fsPath(root), { bigint: true }).mtimeNs]]);
  const found = new Map<string, string>();

  function find(parts: readonly string[], missing: "create" | "find"): string | null {
    const given = parts.join("/");
    const cached = found.get(given);
    if (cached !== undefined) return cached;
    const dir = walk(parts, missing);
    if (dir !== null) found.set(given, dir);
    return dir;
  }

  function walk(parts: readonly string[], missing: "create" | "find"): string | null {
    const left = parts.toReversed();
    let dir = "";
    for (let links = 0; left.length > 0; ) {
      const part = left.pop()!;
      if (part === "" || part === ".") continue;
      const path = part === ".." ? parentPath(dir) : joinPath(dir, part);
      const kind = part === ".." || times.has(path) ? "directory" : probe(path);
      if (kind === "missing" && missing === "find") return null;
      if (kind === "missing") create(path);
      if (kind === "other") throw cannotUnpack("corrupt", parts.join("/"), "a part of the path is not a directory");
      if (kind !== "symlink") dir = path;
      else {
        if (++links > MAX_LINKS) throw cannotUnpack("corrupt", parts.join("/"), "too many symlinks in the path");
        const target = fs.readlinkSync(fsPath(`${root}/${path}`), "latin1");
        if (target.startsWith("/")) dir = "";
        left.push(...target.split("/").reverse());
      }
    }
    return dir;
  }

  function probe(path: string): "directory" | "symlink" | "other" | "missing" {
    const stat = fs.lstatSync(fsPath(`${root}/${path}`), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return "missing";
    if (stat.isSymbolicLink()) return "symlink";
    if (!stat.isDirectory()) return "other";
    times.set(path, stat.mtimeNs);
    return "directory";
  }

  function create(path: string): void {
    fs.mkdirSync(fsPath(`${root}/${path}`));
    fs.chmodSync(fsPath(`${root}/${path}`), 0o755);
    times.set(path, 0n);
  }

  function forget(path: string): void {
    found.clear();
    // A directory is only known together with those above it, so an unknown one has none below.
    if (!times.delete(path)) return;
    for (const known of times.keys()) if (known.startsWith(`${path}/`)) times.delete(known);
  }

  return { find, times, forget };
}
