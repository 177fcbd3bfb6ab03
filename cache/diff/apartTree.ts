import fs from "node:fs";
import type { ApartOutput, HiddenPath } from "../bulk/layerJobs.js";
import { isErrno } from "../sys/libc.js";
import type { TarEntry } from "./header.js";
import { applyRoot, findSource, restoreTimes, type LayerTree } from "./layerTree.js";
import { createNode, restoreDirectory, type BodyReader } from "./node.js";
import { fsPath, joinPath, splitName, toLatin1 } from "./rootPath.js";
import { createTreeFiles, type TreeFiles } from "./treeFiles.js";
import { isBookkeeping, parseWhiteout } from "./whiteout.js";

/** Thrown for an entry that means something only together with the layers below. */
export class NeedsBelow extends Error {}

/** A tree that takes the entries of one layer and knows nothing of those below it. */
export interface ApartTree extends LayerTree {
  /** What is still to be done when those are there. */
  left(): Pick<ApartOutput, "root" | "hidden">;
}

/**
 * `root` is an empty directory. Entries in directories that the layer itself does not have, links to files that it does not have, and
 * names that it has twice are left to {@link createLayerTree}: apply() throws {@link NeedsBelow}.
 */
export function createApartTree(root: string): ApartTree {
  const tree = createTreeFiles(toLatin1(root));
  const hidden: HiddenPath[] = [];
  let attributes: ApartOutput["root"] = "inherited";

  function apply(entry: TarEntry, readBody: BodyReader): void {
    const parts = splitName(entry.name);
    const base = parts.pop();
    if (base === undefined) {
      attributes = "own";
      return applyRoot(tree, entry);
    }
    const whiteout = parseWhiteout(base);
    if (whiteout.kind === "ignore" || parts.some(isBookkeeping)) return;
    const dir = tree.dirs.find(parts, "find");
    if (dir === null) throw new NeedsBelow();
    if (whiteout.kind === "remove") hidden.push({ path: joinPath(dir, whiteout.name), what: "itself" });
    else if (whiteout.kind === "opaque") hidden.push({ path: dir, what: "entries" });
    else add(tree, joinPath(dir, base), entry, readBody);
  }

  return { apply, finish: () => restoreTimes(tree), left: () => ({ root: attributes, hidden }) };
}

function add(tree: TreeFiles, path: string, entry: TarEntry, readBody: BodyReader): void {
  try {
    if (entry.type === "link") addLink(tree, path, entry);
    else createNode(`${tree.root}/${path}`, entry, readBody);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    if (entry.type !== "dir" || tree.lstat(path)?.isDirectory() !== true) throw new NeedsBelow();
    restoreDirectory(`${tree.root}/${path}`, entry);
  }
  if (entry.type === "dir") tree.dirs.times.set(path, entry.mtimeNs);
}

function addLink(tree: TreeFiles, path: string, entry: TarEntry): void {
  const source = findSource(tree, entry);
  const stat = source === null ? undefined : tree.lstat(source);
  if (stat === undefined || stat.isDirectory()) throw new NeedsBelow();
  fs.linkSync(fsPath(`${tree.root}/${source}`), fsPath(`${tree.root}/${path}`));
}
