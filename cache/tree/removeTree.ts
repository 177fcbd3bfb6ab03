import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import { TbuildError } from "../errors.js";
import { errnoOf } from "./fileError.js";
import { joinPath, osPath, toBytes, toText } from "./names.js";
import { lstatOrNull } from "./resolve.js";

/** Well under the kernel's 4096 for a path; deeper directories are first moved up. */
const longPath = 3000;

/**
 * Deletes a file or a directory tree, however deep and whatever its modes. Absent is a success. Other file systems
 * mounted inside are not entered.
 * @throws {TbuildError} unavailable when something is mounted inside
 */
export function removeTree(input: { readonly path: string }, ctx: JobContext): null {
  removePath(toBytes(input.path), () => ctx.tick(0, 1));
  return null;
}

/** {@link removeTree} for many, one after the other. */
export function removeTrees(input: { readonly paths: readonly string[] }, ctx: JobContext): null {
  for (const path of input.paths) removeTree({ path }, ctx);
  return null;
}

/** {@link removeTree} of a byte string path; `onRemoved` is called per entry. */
export function removePath(path: string, onRemoved: () => void = () => {}): void {
  const stat = lstatOrNull(path);
  if (stat === null) return;
  if (!stat.isDirectory()) {
    fs.unlinkSync(osPath(path));
    onRemoved();
    return;
  }
  let moved = 0;
  // What was moved up is found by reading the top once more.
  while (!tryRemoveDirectory(path)) {
    for (const entry of entriesOf(path)) removeEntry(path, entry);
  }
  onRemoved();

  function removeEntry(dir: string, entry: fs.Dirent): void {
    const at = joinPath(dir, entry.name);
    if (!entry.isDirectory()) unlink(at, dir);
    else if (at.length <= longPath || dir === path) removeDirectory(at);
    else fs.renameSync(osPath(at), osPath(joinPath(path, `.tbuild-removed-${moved++}`)));
  }

  function removeDirectory(dir: string): void {
    if (lstatOrNull(dir)?.dev !== stat!.dev) throw mounted(dir);
    for (const entry of entriesOf(dir)) removeEntry(dir, entry);
    fs.rmdirSync(osPath(dir));
    onRemoved();
  }

  function unlink(at: string, dir: string): void {
    allowing(dir, () => fs.unlinkSync(osPath(at)));
    onRemoved();
  }
}

function tryRemoveDirectory(path: string): boolean {
  try {
    fs.rmdirSync(osPath(path));
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** Entries of a directory that will be removed: it is first made readable and writable for us if need be. */
function entriesOf(dir: string): fs.Dirent[] {
  if (process.geteuid?.() !== 0) fs.chmodSync(osPath(dir), 0o700);
  return fs.readdirSync(osPath(dir), { encoding: "latin1", withFileTypes: true } as { withFileTypes: true });
}

function allowing(dir: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    fs.chmodSync(osPath(dir), 0o700);
    action();
  }
}

function mounted(path: string): TbuildError {
  return new TbuildError("unavailable", `Cannot remove "${toText(path)}": something is mounted there`);
}
