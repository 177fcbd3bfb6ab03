import { TbuildError } from "../../cache/errors.js";
import { baseOf, parentOf, toText } from "../../cache/tree/names.js";

/** Checks the paths of one list, in their order. */
export interface PathOrder {
  /**
   * Paths are relative and clean; parents come first, names of a directory in byte order, each once: so nothing can be
   * written through a link, or anywhere else than below the root. @throws {TbuildError} path_escape, corrupt
   */
  check(path: string, isDirectory: boolean): void;
}

/** A checker for a new list. Paths are byte strings. */
export function createPathOrder(): PathOrder {
  const open: { readonly dir: string; last: string }[] = [{ dir: "", last: "" }];
  return {
    check(path, isDirectory) {
      refuseOdd(path);
      const parent = parentOf(path);
      while (open.length > 1 && open.at(-1)!.dir !== parent) open.pop();
      const dir = open.at(-1)!;
      const base = baseOf(path);
      if (dir.dir !== parent) throw badPath("corrupt", path, "its directory was not sent before it");
      if (base <= dir.last) throw badPath("corrupt", path, `it is out of order after "${toText(dir.last)}"`);
      dir.last = base;
      if (isDirectory) open.push({ dir: path, last: "" });
    },
  };
}

/** Order of two paths in a list: "a/b" comes before "a.b". Negative when `a` is first. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return (x === SLASH ? 0 : x) - (y === SLASH ? 0 : y);
  }
  return a.length - b.length;
}

const SLASH = 47;

function refuseOdd(path: string): void {
  if (path.startsWith("/")) throw badPath("path_escape", path, "it is absolute");
  for (const part of path.split("/")) {
    if (part === "..") throw badPath("path_escape", path, "it leads out of the directory");
    if (part === "" || part === "." || part.includes("\0")) throw badPath("corrupt", path, "it is no clean path");
  }
}

/** The error for an entry of a client's list that is refused. */
export function badPath(code: "path_escape" | "corrupt" | "invalid_argument", path: string, why: string): TbuildError {
  return new TbuildError(code, `Cannot take the file "${toText(path)}" of the client: ${why}`);
}
