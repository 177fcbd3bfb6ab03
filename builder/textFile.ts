import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";

/** A file that errors can point into. */
export interface TextFile {
  /** Name as the user knows it: relative to the context where that is shorter. */
  readonly name: string;
  readonly bytes: Buffer;
}

const MAX_BYTES = 16 * 1024 * 1024;

/** Reads a Dockerfile or an ignore file, which messages call `name`. @throws {TbuildError} not_found, permission_denied, invalid_argument */
export function readText(file: string, name: string): TextFile {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw refused(name, "it is a directory", "Name a file with -f");
    if (!stat.isFile()) throw refused(name, "it is no regular file", "Name a file with -f");
    if (stat.size > MAX_BYTES) throw refused(name, "larger than 16 MiB", "Is this the right file?");
    const bytes = readFileSync(file);
    checkText(name, bytes);
    return { name, bytes };
  } catch (error) {
    throw readError(error, name);
  }
}

/** `file` as the user knows it: relative to the context when it is in there. */
export function nameIn(context: string, file: string): string {
  const relative = path.relative(context, file);
  return relative === ".." || relative.startsWith("../") ? file : relative;
}

/** Text of today's editors holds no zero byte; programs, archives and UTF-16 do. */
function checkText(name: string, bytes: Buffer): void {
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") throw refused(name, "its encoding is UTF-16", "Save it as UTF-8");
  if (bytes.includes(0)) throw refused(name, "it is binary, not text", "Is this the right file?");
}

function refused(name: string, why: string, hint: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot read "${name}": ${why}`, { hint });
}

function readError(error: unknown, name: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return new TbuildError("not_found", `Cannot read "${name}": no such file`, { cause: error });
  if (code !== "EACCES" && code !== "EPERM") return error;
  return new TbuildError("permission_denied", `Cannot read "${name}": permission denied`, { cause: error });
}
