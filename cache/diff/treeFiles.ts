import fs from "node:fs";
import { createDirectoryFinder, fsPath, joinPath, type DirectoryFinder } from "./rootPath.js";

/** File calls on paths (latin1) relative to a tree's root. Parents must be real directories. */
export interface TreeFiles {
  readonly root: string;
  readonly dirs: DirectoryFinder;
  list(dir: string): string[];
  /** Undefined when there is nothing. */
  lstat(path: string): fs.Stats | undefined;
  /** Removes a file, or a directory with all that is in it. */
  remove(path: string, stat: fs.Stats): void;
}

/** `root` is latin1. */
export function createTreeFiles(root: string): TreeFiles {
  const dirs = createDirectoryFinder(root);

  function list(dir: string): string[] {
    return fs.readdirSync(fsPath(`${root}/${dir}`), "latin1");
  }

  function lstat(path: string): fs.Stats | undefined {
    return fs.lstatSync(fsPath(`${root}/${path}`), { throwIfNoEntry: false });
  }

  function remove(path: string, stat: fs.Stats): void {
    if (stat.isDirectory() || stat.isSymbolicLink()) dirs.forget(path);
    if (!stat.isDirectory()) return fs.unlinkSync(fsPath(`${root}/${path}`));
    for (const name of list(path)) {
      const child = joinPath(path, name);
      remove(child, lstat(child)!);
    }
    fs.rmdirSync(fsPath(`${root}/${path}`));
  }

  return { root, dirs, list, lstat, remove };
}
