import type { Selection } from "../bulk/hashJobs.js";
import { errnoOf } from "./fileError.js";
import { notInTree, treeFilter, type TreeFilter } from "./filter.js";
import { globMatcher, hasWildcards } from "./glob.js";
import { baseOf, componentsOf, joinPath, osPath, toBytes, toText } from "./names.js";
import type { IgnoreRules } from "./patterns.js";
import { lstatOrNull, resolveInRoot, type Resolved } from "./resolve.js";
import { namesIn, walkTree, type WalkStart } from "./walk.js";
import fs from "node:fs";

/** One file or directory that a selection names. */
export interface SelectedRoot extends WalkStart {
  /** Byte string: its base name as it was asked for (a link's own, not its target's); "" for the tree's root. */
  readonly name: string;
}

/**
 * The files and directories that `selection.path` names, in byte order, links followed inside `root` only. `root` is a
 * byte string. Ignored paths do not exist, unless something below them is taken back by a `!` rule.
 * `allowEmpty` excuses wildcards that match nothing, and a missing path where wildcards are off; with wildcards on, a
 * path without any must exist, as in BuildKit.
 * @throws {TbuildError} not_found, invalid_argument for a malformed pattern
 */
export function selectRoots(root: string, ignore: IgnoreRules, selection: Selection): SelectedRoot[] {
  const visible = visibleIn(root, ignore);
  const parts = componentsOf(toBytes(selection.path));
  const wild = selection.wildcard ? parts.findIndex(hasWildcards) : -1;
  if (wild >= 0) return expand(root, parts, wild, selection, visible);
  const path = (selection.wildcard ? unescapeMissing(root, parts) : parts).join("/");
  const found = resolve(root, path, selection, visible);
  if (found !== null) return [{ ...found, name: baseName(path, selection) }];
  if (selection.allowEmpty && !selection.wildcard) return [];
  throw notInTree(selection.path);
}

type Visible = (path: string, found: Resolved) => boolean;

/** "x/." names what is in x, where wildcards (which clean the path first) are off. Source: fsutil/copy, Copy. */
function baseName(path: string, selection: Selection): string {
  return !selection.wildcard && selection.path.endsWith("/.") ? "" : baseOf(path);
}

function resolve(root: string, path: string, selection: Selection, visible: Visible): WalkStart | null {
  const found = resolveOrNull(root, path, selection.followSymlink ? "follow" : "keep");
  if (found?.stat == null || !visible(found.path, found)) return null;
  return { root, treePath: found.path, stat: found.stat };
}

function resolveOrNull(root: string, path: string, last: "follow" | "keep"): Resolved | null {
  try {
    return resolveInRoot(root, path, last);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** With wildcards on, `\[` is how "[" is written; a file whose name really holds the backslash goes first. */
function unescapeMissing(root: string, parts: readonly string[]): readonly string[] {
  if (!parts.some((part) => part.includes("\\")) || lstatOrNull(joinPath(root, parts.join("/"))) !== null) return parts;
  return parts.map((part) => part.replace(/\\(.)/gsu, "$1"));
}

function expand(root: string, parts: readonly string[], wild: number, selection: Selection, visible: Visible): SelectedRoot[] {
  const prefix = unescapeMissing(root, parts.slice(0, wild)).join("/");
  const base = resolveOrNull(root, prefix, selection.followSymlink ? "follow" : "keep");
  const matches = base?.stat?.isDirectory() ? expandBelow(root, base.path, parts.slice(wild)) : [];
  const found = matches.flatMap((path) => {
    const start = resolve(root, path, selection, visible);
    return start === null ? [] : [{ ...start, name: baseOf(path) }];
  });
  if (found.length === 0 && !selection.allowEmpty) throw notInTree(selection.path);
  return found;
}

function expandBelow(root: string, dir: string, parts: readonly string[]): string[] {
  let dirs = [dir];
  parts.forEach((part, at) => {
    const matches = globMatcher(toText(part));
    const paths = dirs.flatMap((from) => namesIn(root, from).filter(matches).map((name) => joinPath(from, name)));
    dirs = at + 1 === parts.length ? paths : paths.filter((path) => isDirectory(root, path));
  });
  return dirs;
}

function isDirectory(root: string, path: string): boolean {
  return fs.lstatSync(osPath(joinPath(root, path)), { throwIfNoEntry: false })?.isDirectory() === true;
}

function visibleIn(root: string, ignore: IgnoreRules): Visible {
  if (ignore.length === 0) return () => true;
  const filter = treeFilter(ignore, { include: [], exclude: [] });
  return (path, { stat }) => stat !== null && takesPart({ root, treePath: path, stat }, filter);
}

function takesPart(start: WalkStart, filter: TreeFilter): boolean {
  if (filter.start(start.treePath).included) return true;
  if (!start.stat.isDirectory()) return false;
  let any = false;
  walkTree(start, filter, { enter: () => { any = true; } });
  return any;
}
