import fs, { type Dirent } from "node:fs";
import type { Selection } from "../cache/bulk/hashJobs.js";
import { hasCode } from "../cache/errors.js";
import { readError } from "../cache/tree/fileError.js";
import { type FilterState, treeFilter, type TreeFilter } from "../cache/tree/filter.js";
import { joinPath, osPath, parentOf, toText } from "../cache/tree/names.js";
import { compilePatterns, type IgnoreRules, type MatchState, type PathMatcher } from "../cache/tree/patterns.js";
import { type SelectedRoot, selectRoots } from "../cache/tree/select.js";

/** What a walk of a context finds; see ContextEntry. */
export interface FoundEntry {
  readonly path: string;
  readonly size: number;
  readonly files: number;
  readonly state: "read" | "excluded" | "unused";
  /** Index of the ignore rule that decided, or -1. */
  readonly rule: number;
  /** Index of the first selection that reads it, or -1. */
  readonly read: number;
}

/** A selected file or directory, for what is in it. */
interface Active {
  readonly index: number;
  readonly root: SelectedRoot;
  readonly filter: TreeFilter;
  readonly state: FilterState;
}

interface Walk {
  readonly root: string;
  readonly ignore: PathMatcher;
  /** Selected paths, and what selects them. */
  readonly starts: ReadonlyMap<string, readonly Active[]>;
  /** Directories above a selected path. */
  readonly above: ReadonlySet<string>;
  readonly found: FoundEntry[];
}

/** One directory under way. */
interface Directory {
  readonly path: string;
  readonly match: MatchState | null;
  readonly active: readonly Active[];
}

/**
 * Goes once through the tree at `root` (a byte string). What is left out as a whole is counted, but not matched. Like the
 * other walks it is synchronous: a promise a file would take longer than the file.
 * @throws {TbuildError} permission_denied, invalid_argument for a malformed pattern
 */
export function walkContext(root: string, ignore: IgnoreRules, selections: readonly Selection[]): readonly FoundEntry[] {
  const starts = startsOf(root, ignore, selections);
  const walk: Walk = { root, ignore: compilePatterns(ignore), starts, above: directoriesAbove(starts.keys()), found: [] };
  visit({ path: "", match: null, active: starts.get("") ?? [] }, walk);
  return walk.found;
}

function startsOf(root: string, ignore: IgnoreRules, selections: readonly Selection[]): ReadonlyMap<string, readonly Active[]> {
  const starts = new Map<string, Active[]>();
  selections.forEach((selection, index) => {
    // The walk asks the ignore rules itself.
    const filter = treeFilter([], selection);
    for (const selected of rootsOf(root, ignore, selection)) {
      const list = starts.get(selected.treePath) ?? [];
      list.push({ index, root: selected, filter, state: filter.start(selected.treePath) });
      starts.set(selected.treePath, list);
    }
  });
  return starts;
}

/** A source that is not there is a build's error, and reads nothing here. */
function rootsOf(root: string, ignore: IgnoreRules, selection: Selection): readonly SelectedRoot[] {
  try {
    return selectRoots(root, ignore, selection);
  } catch (error) {
    if (hasCode(error, "not_found")) return [];
    throw error;
  }
}

function directoriesAbove(paths: Iterable<string>): ReadonlySet<string> {
  const above = new Set<string>();
  for (const path of paths) {
    for (let dir = path; dir !== ""; ) above.add((dir = parentOf(dir)));
  }
  return above;
}

/** Returns true when nothing is in the directory. */
function visit(dir: Directory, walk: Walk): boolean {
  const entries = entriesOf(walk.root, dir.path);
  for (const entry of entries) visitEntry(entry, dir, walk);
  return entries.length === 0;
}

function visitEntry(entry: Dirent, dir: Directory, walk: Walk): void {
  const path = joinPath(dir.path, entry.name);
  const match = walk.ignore.empty ? null : walk.ignore.match(toText(path), dir.match);
  const active = activeIn(dir, entry.name, path, walk);
  const reader = match?.matched === true ? undefined : active.find(({ state }) => state.included);
  if (!entry.isDirectory()) {
    const state = reader !== undefined ? "read" : match?.matched === true ? "excluded" : "unused";
    const size = entry.isFile() ? sizeOf(walk.root, path) : 0;
    walk.found.push({ path: toText(path), size, files: 1, state, rule: match?.rule ?? -1, read: reader?.index ?? -1 });
    return;
  }
  const state = leftOut(path, match, active, walk);
  const name = `${toText(path)}/`;
  if (state !== null) {
    const rule = state === "excluded" ? match!.rule : -1;
    walk.found.push({ path: name, ...amountIn(walk.root, path), state, rule, read: -1 });
  } else if (visit({ path, match, active }, walk) && reader !== undefined) {
    walk.found.push({ path: name, size: 0, files: 0, state: "read", rule: match?.rule ?? -1, read: reader.index });
  }
}

/** What selects something in the directory, with its state for this entry; and what begins with the entry itself. */
function activeIn(dir: Directory, name: string, path: string, { starts }: Walk): readonly Active[] {
  const begins = starts.get(path);
  if (dir.active.length === 0) return begins ?? [];
  const goesOn = dir.active.map((one) => {
    const selected = one.root.treePath === "" ? dir.path : dir.path.slice(one.root.treePath.length + 1);
    const state = one.filter.child(one.state, dir.path, selected, name);
    return state === one.state ? one : { ...one, state };
  });
  return begins === undefined ? goesOn : [...goesOn, ...begins].sort((a, b) => a.index - b.index);
}

/** Why a whole directory is not read; null when something in it may be. */
function leftOut(path: string, match: MatchState | null, active: readonly Active[], { ignore, above }: Walk): "excluded" | "unused" | null {
  if (match?.matched === true && !ignore.couldMatchBelow(toText(path), match)) return "excluded";
  return active.length > 0 || above.has(path) ? null : match?.matched === true ? "excluded" : "unused";
}

function amountIn(root: string, dir: string): { readonly size: number; readonly files: number } {
  let size = 0;
  let files = 0;
  for (const open = [dir]; open.length > 0; ) {
    const path = open.pop()!;
    for (const entry of entriesOf(root, path, "shut")) {
      const below = joinPath(path, entry.name);
      if (entry.isDirectory()) open.push(below);
      else files++;
      if (entry.isFile()) size += sizeOf(root, below);
    }
  }
  return { size, files };
}

/** In byte order. A directory that a build does not read may be "shut": it counts as empty. */
function entriesOf(root: string, dir: string, unreadable: "shut" | "error" = "error"): readonly Dirent[] {
  try {
    const entries = fs.readdirSync(osPath(joinPath(root, dir)), { encoding: "latin1", withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (unreadable === "shut") return [];
    throw readError(error, dir, "read");
  }
}

/** 0 for a file that has gone meanwhile. */
function sizeOf(root: string, path: string): number {
  return fs.lstatSync(osPath(joinPath(root, path)), { throwIfNoEntry: false })?.size ?? 0;
}
