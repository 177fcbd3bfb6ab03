import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { HideInput } from "../bulk/layerJobs.js";
import { lutimes } from "../sys/node.js";
import { fsPath, joinPath, parentPath, toLatin1 } from "./rootPath.js";
import { createTreeFiles } from "./treeFiles.js";

/**
 * Removes what a layer hides of those below it. What the layer brought itself stays, and so do the times of directories.
 * Paths are real paths of the layer: none of their directories is a symlink.
 */
export function hideBelow({ root, own, hidden }: HideInput, ctx: JobContext): null {
  const tree = createTreeFiles(toLatin1(root));
  const layer = createTreeFiles(toLatin1(own));
  const times = new Map<string, bigint>();

  function hide(path: string): void {
    const stat = tree.lstat(path);
    if (stat === undefined) return;
    if (layer.lstat(path) !== undefined) return stat.isDirectory() ? hideEntries(path) : undefined;
    remember(parentPath(path));
    tree.remove(path, stat);
    ctx.tick(0, 1);
  }

  function hideEntries(dir: string): void {
    for (const name of tree.list(dir)) hide(joinPath(dir, name));
  }

  function remember(dir: string): void {
    if (!times.has(dir)) times.set(dir, fs.lstatSync(fsPath(`${tree.root}/${dir}`), { bigint: true }).mtimeNs);
  }

  for (const { path, what } of hidden) {
    if (what === "itself") hide(path);
    else hideEntries(path);
  }
  for (const [dir, mtimeNs] of times) lutimes(fsPath(`${tree.root}/${dir}`), mtimeNs, mtimeNs);
  return null;
}
