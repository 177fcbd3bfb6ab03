import { statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";
import type { IgnoreRules } from "../cache/tree/patterns.js";
import { dockerfilePath } from "./dockerfilePath.js";
import { type IgnoreFile, readIgnoreFile } from "./ignoreFile.js";
import { type NamedContexts, readNamedContexts } from "./namedContexts.js";
import type { BuildRequest } from "./request.js";
import { readText, type TextFile } from "./textFile.js";

/** The texts that a build starts from. */
export interface BuildInputs {
  /** Absolute path of the context. */
  readonly context: string;
  readonly dockerfile: TextFile;
  /** The ignore file that counts: the Dockerfile's own, else the context's; null when there is none. */
  readonly ignoreFile: IgnoreFile | null;
  /** Its rules. */
  readonly ignore: IgnoreRules;
  /** What else there is to copy from, and to build on. */
  readonly named: NamedContexts;
}

/** Reads Dockerfile and ignore file. @throws {TbuildError} not_found, permission_denied, invalid_argument */
export function readInputs(request: Pick<BuildRequest, "context" | "dockerfile" | "buildContexts">): BuildInputs {
  const context = path.resolve(request.context);
  checkContext(context, request.context);
  const file = dockerfilePath(context, request.dockerfile);
  const dockerfile = readText(file, context);
  const ignoreFile = readIgnoreFile([`${file}.dockerignore`, path.join(context, ".dockerignore")], context);
  return { context, dockerfile, ignoreFile, ignore: ignoreFile?.rules ?? [], named: readNamedContexts(request.buildContexts ?? {}) };
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
