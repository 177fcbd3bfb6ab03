import fs, { type BigIntStats } from "node:fs";
import { TbuildError } from "../errors.js";
import { errnoOf } from "./fileError.js";
import { componentsOf, joinPath, osPath, parentOf, toText } from "./names.js";

/** More links than this on one path are taken for a loop. Source: containerd continuity, fs.RootPath. */
const maxLinks = 255;

/** A path below a root without symlinks in it; `stat` is null when nothing is there (then the rest was taken as it is). */
export interface Resolved {
  /** Relative to the root, "" for the root itself. */
  readonly path: string;
  readonly stat: BigIntStats | null;
}

/**
 * Follows `path` from `root` as a process in a chroot would: absolute links and ".." never leave the root. Missing
 * components are kept as they are. The last component is followed only when asked to. All paths are byte strings.
 * @throws {TbuildError} invalid_argument for a loop of links
 */
export function resolveInRoot(root: string, path: string, last: "follow" | "keep"): Resolved {
  const todo = path.split("/").filter((part) => part !== "" && part !== ".").reverse();
  let at: Resolved = { path: "", stat: null };
  let links = 0;
  while (todo.length > 0) {
    const name = todo.pop()!;
    if (name === "..") {
      at = { path: parentOf(at.path), stat: null };
      continue;
    }
    const next = joinPath(at.path, name);
    const stat = lstatOrNull(joinPath(root, next));
    const follow = stat?.isSymbolicLink() === true && (todo.length > 0 || last === "follow");
    if (!follow) {
      at = { path: next, stat };
      continue;
    }
    if (++links > maxLinks) throw tooManyLinks(path);
    const target = fs.readlinkSync(osPath(joinPath(root, next)), "latin1");
    if (target.startsWith("/")) at = { path: "", stat: null };
    todo.push(...target.split("/").filter((part) => part !== "" && part !== ".").reverse());
  }
  return at.stat === null ? { path: at.path, stat: lstatOrNull(joinPath(root, at.path)) } : at;
}

/** Like {@link resolveInRoot}, after ".." was taken lexically: `link/../x` is `x`. Used where BuildKit cleans first. */
export function resolveCleaned(root: string, path: string, last: "follow" | "keep"): Resolved {
  return resolveInRoot(root, componentsOf(path).join("/"), last);
}

/** lstat of a byte string path; null when nothing is there. */
export function lstatOrNull(path: string): BigIntStats | null {
  try {
    return fs.lstatSync(osPath(path), { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

function tooManyLinks(path: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot follow "${toText(path)}": its symbolic links form a loop`);
}
