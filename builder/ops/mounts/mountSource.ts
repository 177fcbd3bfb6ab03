import path from "node:path";
import { resolvedInRoot } from "../../executor/rootFile.js";
import { missingSource } from "../../missingSource.js";

/** Real path of what a mount shows of the tree at `root`: links lead only to what is inside. @throws {TbuildError} not_found */
export function mountSource(root: string, selector: string): string {
  const source = resolvedInRoot(root, path.posix.join("/", selector));
  if (source !== null) return source;
  throw missingSource("mount", selector, { path: root, ignore: [], ignoreFile: null, name: "its stage or image", kind: "stage" });
}
