import fs, { type BigIntStats } from "node:fs";
import { readXattrs } from "../diff/xattrs.js";
import { inodeOf } from "../tree/copyFile.js";
import { readError } from "../tree/fileError.js";
import { treeFilter } from "../tree/filter.js";
import { joinPath, osPath } from "../tree/names.js";
import { readLink, walkTree } from "../tree/walk.js";

/** What a walk came by. */
export interface SeenFile {
  /** A byte string; "" is the root. */
  readonly path: string;
  readonly stat: BigIntStats;
  /** A symlink's target. */
  readonly target: string;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/**
 * Directories, regular files and links of the tree at `root` (a byte string), which is the first.
 * @throws {TbuildError} unavailable when something vanishes meanwhile
 */
export function seenFiles(root: string): readonly SeenFile[] {
  const seen: SeenFile[] = [];
  const start = { root, treePath: "", stat: fs.lstatSync(osPath(root), { bigint: true }) };
  walkTree(start, treeFilter([], { include: [], exclude: [] }), {
    enter({ treePath, stat }) {
      if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) return;
      const at = joinPath(root, treePath);
      seen.push({ path: treePath, stat, target: stat.isSymbolicLink() ? readLink(at, treePath, "read") : "", xattrs: xattrsOf(at, treePath) });
    },
  });
  return seen;
}

function xattrsOf(at: string, path: string): SeenFile["xattrs"] {
  try {
    return readXattrs(at);
  } catch (error) {
    throw readError(error, path, "read");
  }
}

/** Bytes of regular files; one of several names counts once. */
export function bytesOf(seen: readonly SeenFile[]): number {
  const sizes = new Map(seen.flatMap(({ stat }) => (stat.isFile() ? [[inodeOf(stat), Number(stat.size)] as const] : [])));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
