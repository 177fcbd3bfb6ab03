import { posix } from "node:path";
import type { Selection } from "../../cache/bulk/hashJobs.js";
import type { FileActionBody } from "../../solver/llb/op.js";

/** The copy action of a file step. */
export type CopyBody = Extract<FileActionBody, { kind: "copy" }>;

/** Which files of its source a copy action reads. */
export function selectionOf(action: CopyBody): Selection {
  return {
    path: action.src,
    wildcard: action.allowWildcard,
    followSymlink: action.followSymlink,
    dirContents: action.dirCopyContents,
    include: action.includePatterns,
    exclude: action.excludePatterns,
    allowEmpty: action.allowEmptyWildcard,
  };
}

/** What must be there for a copy action: a pattern that fits nothing is no mistake, but a path that is named is. */
export function requiredBy({ requiredPaths }: CopyBody): readonly Selection[] {
  const named = { wildcard: false, followSymlink: false, dirContents: false, include: [], exclude: [], allowEmpty: false };
  return requiredPaths.map((path) => ({ ...named, path }));
}

/** What a mount shows of its tree: all that is at its selector. */
export function mountSelection(selector: string): Selection {
  const path = posix.join("/", selector);
  return { path, wildcard: false, followSymlink: true, dirContents: true, include: [], exclude: [], allowEmpty: false };
}

/**
 * What a mount is known by: its content, and the directory's own mode and owner, which the step sees too. Those of a
 * tree's root do not count.
 */
export function mountIdentity(selector: string): Selection {
  const selection = mountSelection(selector);
  return { ...selection, dirContents: selection.path === "/" };
}
