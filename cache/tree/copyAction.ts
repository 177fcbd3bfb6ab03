import type { CopyAction } from "../bulk/actionJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { TbuildError } from "../errors.js";
import { copyTree, type Copied, type CopyOptions } from "./copyTree.js";
import { treeFilter, type TreeFilter } from "./filter.js";
import { parseMode, type ModeChange } from "./mode.js";
import { joinPath, parentOf, toBytes } from "./names.js";
import { resolveCleaned } from "./resolve.js";
import { selectRoots, type SelectedRoot } from "./select.js";
import { makeDirectories, type NewDirectory, type Target } from "./target.js";
import { toNs } from "./time.js";
import { isArchive, unpackArchive } from "./unpack.js";

interface Plan {
  readonly action: CopyAction;
  readonly dest: string;
  readonly filter: TreeFilter;
  readonly options: CopyOptions;
  /** For missing directories on the way to the destination. */
  readonly parents: NewDirectory;
}

/** Copies what the selection names to `dest` of the target. Source: BuildKit fsutil/copy, Copy and prepareTargetDir. */
export function copyAction(action: CopyAction, target: Target, ctx: JobContext, copied: Copied): void {
  const plan = planCopy(action);
  if (!action.createDestPath) requireDestination(plan, target);
  for (const from of selectRoots(toBytes(action.sourceRoot), action.ignore, action.selection)) {
    const unpack = action.unpack && from.stat.isFile() && isArchive(joinPath(from.root, from.treePath));
    if (unpack) unpackRoot(from, plan, target, ctx, copied);
    else copyRoot(from, plan, target, ctx, copied);
  }
}

function planCopy(action: CopyAction): Plan {
  const time = toNs(action.mtime);
  const options: CopyOptions = {
    owner: action.owner,
    mode: modeChange(action),
    timeOf: (stat) => time ?? stat.mtimeNs,
    conflict: action.replaceExisting ? "replace" : "refuse",
  };
  const parents = { mode: action.modeText === null ? (action.mode ?? 0o755) : 0o755, owner: action.owner, time };
  return { action, dest: toBytes(action.dest), filter: treeFilter(action.ignore, action.selection), options, parents };
}

function modeChange({ mode, modeText }: CopyAction): ModeChange | null {
  if (modeText !== null) return parseMode(modeText);
  return mode === null ? null : () => mode & 0o7777;
}

function requireDestination({ dest, action }: Plan, target: Target): void {
  const { path } = resolveCleaned(target.root, dest, "follow");
  if (target.lstat(parentOf(path)) !== null) return;
  throw new TbuildError("not_found", `Cannot copy to "${action.dest}": its directory does not exist`);
}

function copyRoot(from: SelectedRoot, plan: Plan, target: Target, ctx: JobContext, copied: Copied): void {
  const path = destinationOf(from, plan, target);
  copyTree(from, plan.filter, target, path, plan.options, ctx, copied);
}

/** Where this root goes, with all directories above it made. */
function destinationOf(from: SelectedRoot, plan: Plan, target: Target): string {
  const { dest, parents, action } = plan;
  const isDirectory = from.stat.isDirectory();
  const asDirectory = /(^|\/)\.?$/.test(dest);
  const ensured = resolveCleaned(target.root, asDirectory ? dest : parentOf(dest), "follow").path;
  makeDirectories(target, ensured, parents);
  const { path, stat } = resolveCleaned(target.root, dest, "follow");
  const contents = isDirectory && action.selection.dirContents;
  const into = isDirectory ? !contents && stat !== null : stat?.isDirectory() === true;
  const final = into ? joinPath(path, from.name) : path;
  makeDirectories(target, contents && stat === null ? final : parentOf(final), parents);
  return final;
}

function unpackRoot(from: SelectedRoot, plan: Plan, target: Target, ctx: JobContext, copied: Copied): void {
  const { path } = resolveCleaned(target.root, plan.dest, "follow");
  makeDirectories(target, path, { ...plan.parents, mode: 0o755 });
  const { archiveOwner: owner, mtime } = plan.action;
  const input = { file: joinPath(from.root, from.treePath), root: joinPath(target.root, path), owner, mtime };
  const unpacked = unpackArchive(input, ctx);
  copied.files += unpacked.files;
  copied.bytes += unpacked.bytes;
}
