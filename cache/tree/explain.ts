import fs from "node:fs";
import type { Selection } from "../bulk/hashJobs.js";
import { hasCode } from "../errors.js";
import { type Closest, closestPath } from "./closest.js";
import { checkGlob } from "./glob.js";
import { componentsOf, joinPath, osPath, toBytes, toText } from "./names.js";
import { compilePatterns, type IgnoreRules } from "./patterns.js";
import { lstatOrNull, type Resolved, resolveInRoot } from "./resolve.js";
import { selectRoots } from "./select.js";

/** Why a path cannot be found. Paths are text without leading "/". */
export type Missing =
  /** It is there, and ignored: indexes in the rules of those that hide it or, for a wildcard, its `matches`. */
  | { readonly kind: "excluded"; readonly rules: readonly number[]; readonly matches: number }
  /** `path`, a part of it, is a link to what is not there. */
  | { readonly kind: "dangling"; readonly path: string; readonly target: string }
  /** `path`, a part of it, is no directory. */
  | { readonly kind: "not-a-directory"; readonly path: string }
  | { readonly kind: "absent"; readonly closest: Closest | null };

/** Looks for what was meant by a path (or wildcard) that {@link selectRoots} did not find. Never throws for odd paths. */
export function explainMissing(root: string, ignore: IgnoreRules, path: string): Missing {
  const bytes = toBytes(root);
  const hidden = matchesOf(bytes, path);
  const { matches } = compilePatterns(ignore);
  const rules = new Set(hidden.map((match) => matches(toText(match)).rule).filter((rule) => rule >= 0));
  if (rules.size > 0) return { kind: "excluded", rules: [...rules].sort((a, b) => a - b), matches: hidden.length };
  const parts = componentsOf(toBytes(path));
  return obstacle(bytes, parts) ?? { kind: "absent", closest: isPattern(path) ? closestPath(bytes, ignore, parts) : null };
}

function isPattern(path: string): boolean {
  try {
    checkGlob(path);
    return true;
  } catch {
    return false;
  }
}

function matchesOf(root: string, path: string): readonly string[] {
  const selection: Selection = {
    path, wildcard: true, followSymlink: true, dirContents: false, include: [], exclude: [], allowEmpty: false,
  };
  try {
    return selectRoots(root, [], selection).map(({ treePath }) => treePath);
  } catch (error) {
    if (hasCode(error, "not_found") || hasCode(error, "invalid_argument")) return [];
    throw error;
  }
}

/** The first part of the path that is there and leads no further. Links are followed inside the root only. */
function obstacle(root: string, parts: readonly string[]): Missing | null {
  for (let dir = "", at = 0; at < parts.length; at++) {
    const stat = lstatOrNull(joinPath(root, joinPath(dir, parts[at]!)));
    if (stat === null) return null;
    const path = toText(parts.slice(0, at + 1).join("/"));
    const target = followed(root, joinPath(dir, parts[at]!));
    if (target?.stat == null) return { kind: "dangling", path, target: linkTarget(joinPath(root, joinPath(dir, parts[at]!))) };
    if (!target.stat.isDirectory()) return at + 1 === parts.length ? null : { kind: "not-a-directory", path };
    dir = target.path;
  }
  return null;
}

/** Null for a loop of links. */
function followed(root: string, path: string): Resolved | null {
  try {
    return resolveInRoot(root, path, "follow");
  } catch (error) {
    if (hasCode(error, "invalid_argument")) return null;
    throw error;
  }
}

function linkTarget(link: string): string {
  return toText(fs.readlinkSync(osPath(link), "latin1"));
}
