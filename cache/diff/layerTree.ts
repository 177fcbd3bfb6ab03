import fs from "node:fs";
import { lutimes } from "../sys/node.js";
import { cannotUnpack } from "./errors.js";
import type { TarEntry } from "./header.js";
import { createNode, restoreDirectory, type BodyReader } from "./node.js";
import { fsPath, joinPath, parentPath, splitName, toLatin1 } from "./rootPath.js";
import { createTreeFiles, type TreeFiles } from "./treeFiles.js";
import { isBookkeeping, parseWhiteout, type Whiteout } from "./whiteout.js";

/** A tree that takes the entries of one layer. */
export interface LayerTree {
  /** Applies one entry, or what a whiteout asks for. */
  apply(entry: TarEntry, readBody: BodyReader): void;
  /** Sets the directories' times, after all that changed them. */
  finish(): void;
}

/** `root` is a directory with the content that lower layers have left. */
export function createLayerTree(root: string): LayerTree {
  const tree = createTreeFiles(toLatin1(root));
  // Real paths that this layer has written, and the directories above them: whiteouts do not touch them.
  const written = new Set<string>();

  function apply(entry: TarEntry, readBody: BodyReader): void {
    const parts = splitName(entry.name);
    const base = parts.pop();
    if (base === undefined) return applyRoot(tree, entry);
    if (parts.some(isBookkeeping)) return;
    const whiteout = parseWhiteout(base);
    if (whiteout.kind !== "none") return hide(parts, whiteout);
    const path = joinPath(tree.dirs.find(parts, "create")!, base);
    if (entry.type === "link") link(tree, path, entry);
    else place(tree, path, entry, readBody);
    for (let at = path; at !== "" && !written.has(at); at = parentPath(at)) written.add(at);
  }

  function hide(parts: readonly string[], whiteout: Whiteout): void {
    const dir = whiteout.kind === "ignore" ? null : tree.dirs.find(parts, "find");
    if (dir === null) return;
    if (whiteout.kind === "remove") removeLower(joinPath(dir, whiteout.name));
    if (whiteout.kind === "opaque") for (const name of tree.list(dir)) removeLower(joinPath(dir, name));
  }

  /** Removes what is not of this layer. */
  function removeLower(path: string): void {
    const stat = tree.lstat(path);
    if (stat === undefined) return;
    if (!written.has(path)) return tree.remove(path, stat);
    if (stat.isDirectory()) for (const name of tree.list(path)) removeLower(joinPath(path, name));
  }

  return { apply, finish: () => restoreTimes(tree) };
}

/** Gives the root what its own entry says. */
export function applyRoot(tree: TreeFiles, entry: TarEntry): void {
  if (entry.type !== "dir") throw cannotUnpack("corrupt", entry.name, "the root is a directory");
  restoreDirectory(tree.root, entry);
  tree.dirs.times.set("", entry.mtimeNs);
}

function place(tree: TreeFiles, path: string, entry: TarEntry, readBody: BodyReader): void {
  const existing = tree.lstat(path);
  const merge = entry.type === "dir" && existing?.isDirectory() === true;
  if (existing !== undefined && !merge) tree.remove(path, existing);
  if (merge) restoreDirectory(`${tree.root}/${path}`, entry);
  else createNode(`${tree.root}/${path}`, entry, readBody);
  if (entry.type === "dir") tree.dirs.times.set(path, entry.mtimeNs);
}

function link(tree: TreeFiles, path: string, entry: TarEntry): void {
  const source = findSource(tree, entry);
  if (source === path) return;
  const existing = tree.lstat(path);
  if (existing !== undefined) tree.remove(path, existing);
  const stat = source === null ? undefined : tree.lstat(source);
  if (stat === undefined) throw cannotUnpack("corrupt", entry.name, "the file that it links to does not exist");
  if (stat.isDirectory()) throw cannotUnpack("corrupt", entry.name, "it links to a directory");
  fs.linkSync(fsPath(`${tree.root}/${source}`), fsPath(`${tree.root}/${path}`));
}

/** Where a hard link leads, null when nowhere: symlinks are followed above the last component, as for names. */
export function findSource(tree: TreeFiles, entry: TarEntry): string | null {
  const parts = splitName(entry.linkName);
  const base = parts.pop();
  const dir = base === undefined ? null : tree.dirs.find(parts, "find");
  return base === undefined || dir === null ? null : joinPath(dir, base);
}

/** Sets the times of the directories that were written to. */
export function restoreTimes(tree: TreeFiles): void {
  for (const [dir, mtimeNs] of tree.dirs.times) {
    const path = fsPath(`${tree.root}/${dir}`);
    // Setting a time that is right already would make overlayfs copy the directory up.
    if (fs.lstatSync(path, { bigint: true }).mtimeNs !== mtimeNs) lutimes(path, mtimeNs, mtimeNs);
  }
}
