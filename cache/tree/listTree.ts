import fs, { type BigIntStats } from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { ListedFile, ListTreeInput, TreeSelection } from "../bulk/treeEntries.js";
import { readXattrs } from "../diff/xattrs.js";
import { inodeOf } from "./copyFile.js";
import { treeFilter, type TreeFilter } from "./filter.js";
import { followLinks } from "./followLinks.js";
import { joinPath, osPath, toBytes } from "./names.js";
import { readLink, walkTree } from "./walk.js";

/**
 * Everything below a directory, which is not listed itself: parents first, names in byte order, so that "a/b" comes before
 * "a.b". Links are not followed. @throws {TbuildError} unavailable, permission_denied, invalid_argument for a bad pattern
 */
export function listTree({ path, xattrs, only }: ListTreeInput, ctx: JobContext): readonly ListedFile[] {
  const root = toBytes(path);
  const files: ListedFile[] = [];
  const names = new Map<string, string>();
  const firstName = (stat: BigIntStats, name: string): string => {
    if (stat.nlink === 1n || !stat.isFile()) return "";
    const first = names.get(inodeOf(stat));
    if (first === undefined) names.set(inodeOf(stat), name);
    return first ?? "";
  };
  walkTree({ root, treePath: "", stat: fs.lstatSync(osPath(root), { bigint: true }) }, only === undefined ? treeFilter([], { include: [], exclude: [] }) : selected(root, only), {
    enter({ treePath, stat }) {
      if (treePath === "") return;
      const at = joinPath(root, treePath);
      const link = stat.isSymbolicLink() ? readLink(at, treePath, "read") : firstName(stat, treePath);
      files.push(listed(treePath, stat, link, xattrs ? readXattrs(at) : null));
      ctx.tick(0, 1);
    },
  });
  return files;
}

function listed(path: string, stat: BigIntStats, link: string, xattrs: ListedFile["xattrs"]): ListedFile {
  return {
    path,
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.isDirectory() || (stat.isFile() && link !== "") ? 0 : Number(stat.size),
    mtimeNs: stat.mtimeNs,
    link,
    device: stat.isCharacterDevice() || stat.isBlockDevice() ? stat.rdev : 0n,
    xattrs: xattrs === null || xattrs.size === 0 ? null : xattrs,
  };
}

function selected(root: string, { ignore, include, exclude, follow }: TreeSelection): TreeFilter {
  const followed = followLinks(root, follow);
  return treeFilter(ignore, { include: followed === "everything" ? [] : [...include, ...followed], exclude });
}
