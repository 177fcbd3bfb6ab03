import fs, { type BigIntStats } from "node:fs";
import { readError } from "./fileError.js";
import type { FilterState, TreeFilter } from "./filter.js";
import { joinPath, osPath } from "./names.js";

/** One file, directory, link or device that a walk comes by. Paths are byte strings. */
export interface TreeEntry {
  /** From the tree's root. */
  readonly treePath: string;
  /** From the start of the walk; "" is the start itself. */
  readonly path: string;
  readonly name: string;
  readonly stat: BigIntStats;
}

/** What a walk calls. A directory is entered, then its entries come in byte order, then it is left. */
export interface Visitor {
  enter(entry: TreeEntry): void;
  leave?(entry: TreeEntry): void;
}

/** Where a walk starts: a path below `root` that is no symlink on its way. */
export interface WalkStart {
  readonly root: string;
  readonly treePath: string;
  readonly stat: BigIntStats;
}

interface Open {
  readonly entry: TreeEntry;
  readonly state: FilterState;
  readonly parent: Open | null;
  entered: boolean;
}

/**
 * Walks a tree synchronously, parents first, and never follows a link. A directory that the filter leaves out is
 * visited all the same, late, when something below it takes part.
 * @throws {TbuildError} unavailable, permission_denied
 */
export function walkTree(start: WalkStart, filter: TreeFilter, visitor: Visitor): void {
  const { root, treePath, stat } = start;
  const entry = { treePath, path: "", name: "", stat };
  visit({ entry, state: filter.start(treePath), parent: null, entered: false });

  function visit(open: Open): void {
    if (open.state.included) enter(open);
    if (!open.entry.stat.isDirectory() || !filter.descend(open.state, open.entry.treePath, open.entry.path)) {
      if (open.entered) visitor.leave?.(open.entry);
      return;
    }
    const dir = open.entry;
    for (const name of namesIn(root, dir.treePath)) {
      const state = filter.child(open.state, dir.treePath, dir.path, name);
      const child = childOf(open, state, name);
      if (child !== null) visit(child);
    }
    if (open.entered) visitor.leave?.(open.entry);
  }

  function childOf(parent: Open, state: FilterState, name: string): Open | null {
    const dir = parent.entry;
    const below = joinPath(dir.treePath, name);
    const path = joinPath(dir.path, name);
    if (!state.included && !filter.descend(state, below, path)) return null;
    const entry = { treePath: below, path, name, stat: statOf(root, below) };
    return state.included || entry.stat.isDirectory() ? { entry, state, parent, entered: false } : null;
  }

  function enter(open: Open): void {
    if (open.entered) return;
    if (open.parent !== null) enter(open.parent);
    open.entered = true;
    visitor.enter(open.entry);
  }
}

/** Names in a directory in byte order. */
export function namesIn(root: string, dir: string): string[] {
  try {
    return fs.readdirSync(osPath(joinPath(root, dir)), "latin1").sort();
  } catch (error) {
    throw readError(error, dir, "read");
  }
}

function statOf(root: string, path: string): BigIntStats {
  try {
    return fs.lstatSync(osPath(joinPath(root, path)), { bigint: true });
  } catch (error) {
    throw readError(error, path, "read");
  }
}

/** The permission bits with setuid, setgid and sticky. */
export function modeOf(stat: BigIntStats): number {
  return Number(stat.mode & 0o7777n);
}

/** Target of a symlink as a byte string; `shown` is its path for messages. */
export function readLink(path: string, shown: string, doing: "read" | "copied"): string {
  try {
    return fs.readlinkSync(osPath(path), "latin1");
  } catch (error) {
    throw readError(error, shown, doing);
  }
}
