import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";

/** A file that is to hold a result of the build. */
export interface ResultFile {
  /** Writes the whole file at once, so that nobody reads half of it. @throws {TbuildError} */
  write(text: string): void;
}

/**
 * Checks before the build that `file` can be written after it, and removes what an earlier build left there, so that a
 * failed build leaves no old result. What is no regular file (`/dev/stdout`, a pipe) is written to and never replaced.
 * @throws {TbuildError} not_found, permission_denied, invalid_argument
 */
export function resultFile(file: string): ResultFile {
  const dir = path.dirname(path.resolve(file));
  const parent = statSync(dir, { throwIfNoEntry: false });
  if (parent?.isDirectory() !== true) throw new TbuildError("not_found", `Cannot write "${file}": no directory "${dir}"`);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) throw new TbuildError("invalid_argument", `Cannot write "${file}": it is a directory`);
  if (found !== undefined && !found.isFile()) return { write: (text) => guarded(file, () => writeFileSync(file, text)) };
  guarded(file, () => rmSync(file, { force: true }));
  return { write: (text) => replaceFile(path.join(dir, path.basename(file)), text) };
}

/** Writes a file whole: readers see the old one or the new one. @throws {TbuildError} permission_denied, resource_exhausted, invalid_argument */
export function replaceFile(file: string, text: string): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  guarded(file, () => {
    try {
      writeFileSync(temporary, text);
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

function guarded(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
    const kind = denied ? "permission_denied" : code === "ENOSPC" ? "resource_exhausted" : "invalid_argument";
    throw new TbuildError(kind, `Cannot write "${file}": ${code}`, { cause: error });
  }
}
