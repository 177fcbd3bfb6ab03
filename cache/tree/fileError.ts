import { TbuildError } from "../errors.js";
import { toText } from "./names.js";

/** The code of a failed system call, "ENOENT" and the like, or null. */
export function errnoOf(error: unknown): string | null {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === "string" ? code : null;
}

/** The error for a file that is not what it was a moment ago. `path` is a byte string as the user knows it. */
export function changedWhile(path: string, doing: "read" | "copied", cause?: unknown): TbuildError {
  return new TbuildError("unavailable", `"${toText(path)}" changed while it was ${doing}`, {
    hint: "Build again when nothing writes to it, or add it to the ignore file",
    cause,
  });
}

/** A failed read of a source file as an error for the user; errors that are not about the file are returned as they are. */
export function readError(error: unknown, path: string, doing: "read" | "copied"): unknown {
  const code = errnoOf(error);
  // ELOOP: what was a file is a link now, and O_NOFOLLOW refused it.
  if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ESTALE") return changedWhile(path, doing, error);
  if (code === "ENAMETOOLONG") {
    return new TbuildError("unsupported", `Cannot read "${toText(path)}": its path is too long`, { cause: error });
  }
  if (code !== "EACCES" && code !== "EPERM") return error;
  return new TbuildError("permission_denied", `Cannot read "${toText(path)}": permission denied`, {
    hint: "Change its permissions, or add it to the ignore file",
    cause: error,
  });
}

/** The error for a target path that is in the way. */
export function inTheWay(doing: string, path: string, what: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot ${doing} "${toText(path)}": ${what}`);
}
