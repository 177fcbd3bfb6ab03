import type { RmAction } from "../bulk/actionJobs.js";
import { TbuildError } from "../errors.js";
import { baseOf, componentsOf, joinPath, parentOf, toBytes } from "./names.js";
import { removePath } from "./removeTree.js";
import { resolveInRoot } from "./resolve.js";
import { selectRoots } from "./select.js";
import type { Target } from "./target.js";

/** Removes a path, or what a wildcard matches, without following a link that is its last component. */
export function rmAction(action: RmAction, target: Target): void {
  if (!action.wildcard) return remove(toBytes(action.path), action, target);
  const selection = {
    path: action.path, wildcard: true, followSymlink: false, dirContents: false, include: [], exclude: [], allowEmpty: true,
  };
  for (const { treePath } of selectRoots(target.root, [], selection)) remove(treePath, action, target);
}

function remove(path: string, action: RmAction, target: Target): void {
  const cleaned = componentsOf(path).join("/");
  if (cleaned === "") throw new TbuildError("invalid_argument", `Cannot remove "${action.path}": it is the root`);
  const dir = resolveInRoot(target.root, parentOf(cleaned), "follow").path;
  const at = joinPath(dir, baseOf(cleaned));
  if (target.lstat(at) === null) {
    if (action.allowNotFound) return;
    throw new TbuildError("not_found", `Cannot remove "${action.path}": it does not exist`);
  }
  target.touch(dir);
  removePath(joinPath(target.root, at));
}
