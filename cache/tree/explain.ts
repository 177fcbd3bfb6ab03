import fs from "node:fs";
import type { Selection } from "../bulk/jobs.js";
import { hasCode } from "../errors.js";
import { treeFilter } from "./filter.js";
import { componentsOf, joinPath, osPath, toBytes, toText } from "./names.js";
import { compilePatterns, type IgnoreRules } from "./patterns.js";
import { lstatOrNull, resolveInRoot } from "./resolve.js";
import { selectRoots } from "./select.js";

/** Why a path cannot be found, for an error's hint. */
export interface Missing {
  /** An existing path that was probably meant, as text without leading "/"; null when nothing is close. */
  readonly closest: string | null;
  /** Index in the ignore rules of the one that hides the path; null when it is not there at all. */
  readonly rule: number | null;
}

/** More siblings than this are not compared. */
const maxSiblings = 10_000;

/** Looks for what was meant by a path (or wildcard) that {@link selectRoots} did not find. Never throws for odd paths. */
export function explainMissing(root: string, ignore: IgnoreRules, path: string): Missing {
  const bytes = toBytes(root);
  const hidden = firstMatch(bytes, path);
  const rule = hidden === null ? null : compilePatterns(ignore).matches(toText(hidden)).rule;
  if (rule !== null && rule >= 0) return { closest: null, rule };
  return { closest: closestPath(bytes, ignore, componentsOf(toBytes(path))), rule: null };
}

function firstMatch(root: string, path: string): string | null {
  const selection: Selection = {
    path, wildcard: true, followSymlink: false, dirContents: false, include: [], exclude: [], allowEmpty: false,
  };
  try {
    return selectRoots(root, [], selection)[0]?.treePath ?? null;
  } catch (error) {
    if (hasCode(error, "not_found") || hasCode(error, "invalid_argument")) return null;
    throw error;
  }
}

/** Takes the path as far as it exists, replaces the first component that does not by its closest sibling. */
function closestPath(root: string, ignore: IgnoreRules, parts: readonly string[]): string | null {
  const missing = parts.findIndex((_, at) => lstatOrNull(joinPath(root, parts.slice(0, at + 1).join("/"))) === null);
  if (missing < 0) return null;
  const dir = resolveInRoot(root, parts.slice(0, missing).join("/"), "follow").path;
  const name = closestName(visibleNames(root, dir, ignore), parts[missing]!);
  if (name === null) return null;
  const above = parts.slice(0, missing).join("/");
  const whole = joinPath(joinPath(above, name), parts.slice(missing + 1).join("/"));
  return toText(lstatOrNull(joinPath(root, whole)) === null ? joinPath(above, name) : whole);
}

function visibleNames(root: string, dir: string, ignore: IgnoreRules): string[] {
  const filter = treeFilter(ignore, { include: [], exclude: [] });
  const state = filter.start(dir);
  try {
    const names = fs.readdirSync(osPath(joinPath(root, dir)), "latin1").sort().slice(0, maxSiblings);
    return names.filter((name) => filter.child(state, dir, dir, name).included);
  } catch {
    return [];
  }
}

function closestName(names: readonly string[], wanted: string): string | null {
  let best: { name: string; distance: number } | null = null;
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) > limit) continue;
    const distance = editDistance(name.toLowerCase(), wanted.toLowerCase());
    if (distance <= limit && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

/** Levenshtein's, where two neighbours that changed places count once. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      row.push(swapped ? Math.min(best, before[j - 2]! + 1) : best);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
