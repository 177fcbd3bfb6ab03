import fs from "node:fs";
import type { FileAction, FileActionsInput, FileActionsOutput, MkdirAction, MkfileAction, SymlinkAction } from "../bulk/actionJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { fromSystemError, isTbuildError, TbuildError, unreachable } from "../errors.js";
import { copyAction } from "./copyAction.js";
import { writeAll } from "./copyFile.js";
import type { Copied } from "./copyTree.js";
import { errnoOf, inTheWay } from "./fileError.js";
import { parentOf, toBytes, toText } from "./names.js";
import { resolveCleaned } from "./resolve.js";
import { rmAction } from "./rmAction.js";
import { changeOwner, makeDirectories, makeDirectory, openTarget, type Target } from "./target.js";
import { toNs } from "./time.js";

/**
 * Runs actions in order on a mounted tree. Links of the tree are followed inside its root only. Directories whose
 * entries change keep their times. When it fails the tree is left half done.
 * Source: BuildKit solver/llbsolver/file/backend.go and fsutil/copy.
 * @throws {TbuildError} not_found, invalid_argument, already_exists, unavailable, permission_denied, resource_exhausted
 */
export function fileActions(input: FileActionsInput, ctx: JobContext): FileActionsOutput {
  const copied: Copied = { files: 0, bytes: 0 };
  for (const action of input.actions) {
    const target = openTarget(toBytes(input.root));
    try {
      run(action, target, ctx, copied);
    } catch (error) {
      throw targetError(error, action);
    }
    target.restoreTimes();
  }
  return copied;
}

function run(action: FileAction, target: Target, ctx: JobContext, copied: Copied): void {
  switch (action.kind) {
    case "copy": return copyAction(action, target, ctx, copied);
    case "mkdir": return mkdir(action, target);
    case "mkfile": {
      mkfile(action, target);
      copied.files++;
      copied.bytes += action.data.length;
      return;
    }
    case "rm": return rmAction(action, target);
    case "symlink": return symlink(action, target);
    default: return unreachable(action);
  }
}

function mkdir(action: MkdirAction, target: Target): void {
  const { path } = resolveCleaned(target.root, toBytes(action.path), "follow");
  const as = { mode: action.mode & 0o777, owner: action.owner, time: toNs(action.mtime) };
  if (action.makeParents) {
    makeDirectories(target, path, as);
    return;
  }
  const stat = target.lstat(path);
  if (stat === null) {
    requireParent(target, path, action.path);
    makeDirectory(target, path, as);
  } else if (!stat.isDirectory()) throw inTheWay("make directory", `/${path}`, "a file of this name exists");
}

/** An existing file keeps its mode, as with open(O_TRUNC). */
function mkfile(action: MkfileAction, target: Target): void {
  const { path, stat } = resolveCleaned(target.root, toBytes(action.path), "follow");
  if (stat !== null && !stat.isFile()) throw inTheWay("make file", `/${path}`, "something that is no file has this name");
  requireParent(target, path, action.path);
  if (stat === null) target.touch(parentOf(path));
  const fd = fs.openSync(target.at(path), "w", action.mode & 0o777);
  try {
    writeAll(fd, action.data);
    if (stat === null) fs.fchmodSync(fd, action.mode & 0o777);
  } finally {
    fs.closeSync(fd);
  }
  settle(target, path, action);
}

function symlink(action: SymlinkAction, target: Target): void {
  const { path, stat } = resolveCleaned(target.root, toBytes(action.path), "follow");
  if (stat !== null) throw new TbuildError("already_exists", `Cannot make link "${action.path}": "/${toText(path)}" exists`);
  requireParent(target, path, action.path);
  target.touch(parentOf(path));
  fs.symlinkSync(action.target, target.at(path));
  settle(target, path, action);
}

function settle(target: Target, path: string, action: MkfileAction | SymlinkAction): void {
  if (action.owner !== null) changeOwner(target.at(path), action.owner);
  const time = toNs(action.mtime);
  if (time !== null) target.setTime(path, time);
}

function requireParent(target: Target, path: string, shown: string): void {
  if (target.lstat(parentOf(path))?.isDirectory()) return;
  throw new TbuildError("not_found", `Cannot make "${shown}": its directory does not exist`);
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: "permission denied", EPERM: "operation not permitted", EROFS: "read-only file system",
};

const oddNames: Readonly<Record<string, string>> = {
  ENAMETOOLONG: "the name is too long", EINVAL: "the name is not possible", ENOTDIR: "a part of the path is a file",
};

function targetError(error: unknown, action: FileAction): unknown {
  const code = errnoOf(error);
  if (isTbuildError(error) || code === null) return error;
  const path = action.kind === "copy" ? action.dest : action.path;
  const known = fromSystemError(error, path);
  if (isTbuildError(known)) return known;
  const refusal = refusals[code];
  if (refusal !== undefined) return new TbuildError("permission_denied", `Cannot write "${path}": ${refusal}`, { cause: error });
  const why = oddNames[code];
  return why === undefined ? error : new TbuildError("invalid_argument", `Cannot write "${path}": ${why}`, { cause: error });
}
