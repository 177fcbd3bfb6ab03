import { TbuildError } from "../errors.js";
import type { Selection } from "../bulk/hashJobs.js";
import { joinPath, toText } from "./names.js";
import { compilePatterns, type IgnoreRules, type MatchState, type PathMatcher } from "./patterns.js";

/** Whether an entry takes part, and what its children are to be asked with. */
export interface FilterState {
  readonly included: boolean;
  readonly ignore: MatchState | null;
  readonly include: MatchState | null;
  readonly exclude: MatchState | null;
}

/** Ignore rules (paths from the tree's root) with a selection's patterns (paths from the selected directory) on top. */
export interface TreeFilter {
  /** State of a selected root itself, `path` from the tree's root: only ignore rules can apply to it. */
  start(path: string): FilterState;
  /** State of `name` in a directory. Both paths are the directory's byte strings: from the tree's and the selected root. */
  child(parent: FilterState, treeDir: string, selectedDir: string, name: string): FilterState;
  /** False when nothing below this directory can take part. */
  descend(state: FilterState, treePath: string, selectedPath: string): boolean;
}

/** Compiles the filter of one selection. @throws {TbuildError} invalid_argument for a malformed pattern */
export function treeFilter(ignore: IgnoreRules, selection: Pick<Selection, "include" | "exclude">): TreeFilter {
  const ignored = matcherOrNull(ignore);
  const include = matcherOrNull(selection.include);
  const exclude = matcherOrNull(selection.exclude);

  function child(parent: FilterState, treeDir: string, selectedDir: string, name: string): FilterState {
    if (ignored === null && include === null && exclude === null) return everything;
    const i = ignored?.match(toText(joinPath(treeDir, name)), parent.ignore) ?? null;
    const selected = toText(joinPath(selectedDir, name));
    const inc = include?.match(selected, parent.include) ?? null;
    const exc = exclude?.match(selected, parent.exclude) ?? null;
    const included = i?.matched !== true && inc?.matched !== false && exc?.matched !== true;
    return { included, ignore: i, include: inc, exclude: exc };
  }

  function descend(state: FilterState, treePath: string, selectedPath: string): boolean {
    if (state.included) return true;
    if (ignored !== null && state.ignore?.matched === true && !ignored.couldMatchBelow(toText(treePath), state.ignore)) {
      return false;
    }
    if (exclude !== null && state.exclude?.matched === true && !exclude.couldMatchBelow(toText(selectedPath), state.exclude)) {
      return false;
    }
    return include === null || state.include?.matched !== false || include.couldMatchBelow(toText(selectedPath), state.include);
  }

  return { start: (path) => startState(ignored, path), child, descend };
}

const everything: FilterState = { included: true, ignore: null, include: null, exclude: null };

function startState(ignored: PathMatcher | null, path: string): FilterState {
  const ignore = ignored === null || path === "" ? null : ignored.matches(toText(path));
  return { included: ignore?.matched !== true, ignore, include: null, exclude: null };
}

function matcherOrNull(rules: IgnoreRules): PathMatcher | null {
  if (rules.length === 0) return null;
  const matcher = compilePatterns(rules);
  return matcher.empty ? null : matcher;
}

/** The error for a path that is not there, or is there but ignored. `path` is text as the user wrote it. */
export function notInTree(path: string): TbuildError {
  return new TbuildError("not_found", `Cannot find "${path}" in the build context`);
}
