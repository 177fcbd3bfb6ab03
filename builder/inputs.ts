import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";
import type { IgnoreRules } from "../cache/tree/patterns.js";
import { parseIgnore } from "../frontend/dockerignore.js";
import type { BuildRequest } from "./request.js";

/** The texts that a build starts from. */
export interface BuildInputs {
  /** Absolute path of the context. */
  readonly context: string;
  readonly dockerfile: TextFile;
  /** The ignore file that counts: the Dockerfile's own, else the context's; null when there is none. */
  readonly ignoreFile: TextFile | null;
  readonly ignore: IgnoreRules;
}

/** A file that errors can point into. */
export interface TextFile {
  /** Name as the user knows it: relative to the context where that is shorter. */
  readonly name: string;
  readonly bytes: Buffer;
}

const MAX_DOCKERFILE = 16 * 1024 * 1024;

/** Reads Dockerfile and ignore file. @throws {TbuildError} not_found, permission_denied, invalid_argument */
export function readInputs(request: BuildRequest): BuildInputs {
  const context = path.resolve(request.context);
  checkContext(context, request.context);
  const file = dockerfilePath(context, request);
  const dockerfile = readText(file, context);
  const ignoreFile = [`${file}.dockerignore`, path.join(context, ".dockerignore")].find((candidate) => existsSync(candidate));
  const ignoreText = ignoreFile === undefined ? null : readText(ignoreFile, context);
  return { context, dockerfile, ignoreFile: ignoreText, ignore: ignoreText === null ? [] : parseIgnore(ignoreText.bytes.toString("utf8")) };
}

function checkContext(context: string, asGiven: string): void {
  const stat = statSync(context, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return;
  const hint = /^(?:https?|git|ssh):|^git@|\.git(?:#|$)/.test(asGiven)
    ? "Contexts by URL are not supported yet: clone it and give the directory"
    : "Give the directory that holds the Dockerfile, for example \".\"";
  const what = stat === undefined ? "no such directory" : "not a directory";
  throw new TbuildError("not_found", `Cannot use "${asGiven}" as the build context: ${what}`, { hint });
}

/** `-f` is relative to the working directory, as Docker has it; the default is in the context. */
function dockerfilePath(context: string, request: BuildRequest): string {
  if (request.dockerfile !== undefined) return path.resolve(request.dockerfile);
  const candidates = ["Dockerfile", "dockerfile", "Containerfile"].map((name) => path.join(context, name));
  return candidates.find((candidate) => existsSync(candidate)) ?? candidates[0]!;
}

function readText(file: string, context: string): TextFile {
  const relative = path.relative(context, file);
  const name = relative.startsWith("..") ? file : relative;
  try {
    const { size } = statSync(file);
    if (size > MAX_DOCKERFILE) throw new TbuildError("invalid_argument", `Cannot read "${name}": larger than 16 MiB`);
    return { name, bytes: readFileSync(file) };
  } catch (error) {
    throw readError(error, name);
  }
}

function readError(error: unknown, name: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") {
    return new TbuildError("not_found", `Cannot read "${name}": no such file`, { hint: "Name the Dockerfile with -f", cause: error });
  }
  if (code === "EACCES") return new TbuildError("permission_denied", `Cannot read "${name}": permission denied`, { cause: error });
  if (code === "EISDIR") return new TbuildError("invalid_argument", `Cannot read "${name}": it is a directory`, { cause: error });
  return error;
}
