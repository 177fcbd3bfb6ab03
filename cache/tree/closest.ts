import fs from "node:fs";
import path from "node:path";
import { treeFilter, type TreeFilter } from "./filter.js";
import { globMatcher, hasWildcards } from "./glob.js";
import { baseOf, joinPath, osPath, toText } from "./names.js";
import type { IgnoreRules } from "./patterns.js";
import { lstatOrNull, resolveInRoot } from "./resolve.js";

/** An existing path that was probably meant. */
export interface Closest {
  /** Text without leading "/". A wildcard stays one when it matches something there. */
  readonly path: string;
  /** Misspelt, written from a directory above the root, or the same name in another directory. */
  readonly how: "typo" | "outside" | "elsewhere";
}

/** Directories that are read for one answer. */
const maxRead = 300;
/** Entries of a directory that are compared. */
const maxNames = 10_000;
/** Misspelt names of one directory that are followed. */
const maxTried = 3;

interface Search {
  readonly root: string;
  /** Null when nothing is ignored. */
  readonly filter: TreeFilter | null;
  /** Directories that may still be read. */
  left: number;
}

/** The visible path below `root` that comes closest to `parts` (byte strings), which is not there; null when nothing does. */
export function closestPath(root: string, ignore: IgnoreRules, parts: readonly string[]): Closest | null {
  const search = startSearch(root, ignore);
  const above = parts.lastIndexOf(path.posix.basename(root));
  const inside = above < 0 ? null : exact(search, parts.slice(above + 1));
  if (inside !== null) return answer(inside, "outside");
  const whole = repaired(search, [], parts);
  if (whole !== null) return answer(whole, "typo");
  for (let from = 1; from < parts.length; from++) {
    const shorter = exact(search, parts.slice(from));
    if (shorter !== null) return answer(shorter, "outside");
  }
  const other = sameName(search, parts);
  if (other !== null) return answer(other, "elsewhere");
  const start = repairedStart(search, parts);
  return start === null ? null : answer(start, "typo");
}

/** A directory and the first names in it, in byte order. */
export interface Around {
  /** Text without leading "/"; "" is the root. */
  readonly path: string;
  readonly names: readonly string[];
}

/** What is visible where `parts` stop being there. */
export function namesAround(root: string, ignore: IgnoreRules, parts: readonly string[]): Around {
  const search = startSearch(root, ignore);
  const missing = parts.findIndex((part, at) => !namesIn(search, parts.slice(0, at).join("/")).includes(part));
  const dir = parts.slice(0, Math.max(0, missing)).join("/");
  return { path: toText(dir), names: namesIn(search, dir).map(toText) };
}

function startSearch(root: string, ignore: IgnoreRules): Search {
  const filter = ignore.length === 0 ? null : treeFilter(ignore, { include: [], exclude: [] });
  return { root, filter, left: maxRead };
}

function answer(parts: readonly string[], how: Closest["how"]): Closest {
  return { path: toText(parts.join("/")), how };
}

/** `parts` when they lead to something. */
function exact(search: Search, parts: readonly string[]): readonly string[] | null {
  const found = parts.every((part, at) => canBe(namesIn(search, parts.slice(0, at).join("/")), part));
  return found && parts.length > 0 ? parts : null;
}

/** The path with every misspelt component replaced by a close one, so that all of it exists. */
function repaired(search: Search, done: readonly string[], parts: readonly string[]): readonly string[] | null {
  const [part, ...rest] = parts;
  if (part === undefined) return done;
  const names = namesIn(search, done.join("/"));
  const near = hasWildcards(part) ? [] : closestNames(names, part);
  for (const name of [...(canBe(names, part) ? [part] : []), ...near]) {
    const found = repaired(search, [...done, name], rest);
    if (found !== null) return found;
  }
  return null;
}

/** The path as far as it exists, and a close name for the first component that does not. */
function repairedStart(search: Search, parts: readonly string[]): readonly string[] | null {
  const missing = parts.findIndex((part, at) => !canBe(namesIn(search, parts.slice(0, at).join("/")), part));
  if (missing < 0) return null;
  const above = parts.slice(0, missing);
  const [name] = closestNames(namesIn(search, above.join("/")), parts[missing]!);
  return name === undefined ? null : [...above, name];
}

function canBe(names: readonly string[], part: string): boolean {
  if (!hasWildcards(part)) return names.includes(part);
  return names.some(globMatcher(toText(part)));
}

/** The same name whatever the case, in the likest directory; of equals the one nearest to the top. */
function sameName(search: Search, parts: readonly string[]): readonly string[] | null {
  const wanted = baseOf(parts.join("/")).toLowerCase();
  if (wanted === "" || hasWildcards(wanted)) return null;
  search.left = maxRead;
  const found: (readonly string[])[] = [];
  for (let level: readonly (readonly string[])[] = [[]]; level.length > 0 && search.left > 0; ) {
    const below = level.flatMap((dir) => namesIn(search, dir.join("/")).map((name) => [...dir, name]));
    found.push(...below.filter((one) => one.at(-1)!.toLowerCase() === wanted));
    level = below.filter((one) => isDirectory(search, one.join("/")));
  }
  return found.sort((a, b) => shared(b, parts) - shared(a, parts))[0] ?? null;
}

function shared(a: readonly string[], b: readonly string[]): number {
  return a.filter((part) => b.includes(part)).length;
}

function isDirectory({ root }: Search, dir: string): boolean {
  return lstatOrNull(joinPath(root, dir))?.isDirectory() === true;
}

/** What a step would see in a directory; nothing when it cannot be read, or when enough has been read. */
function namesIn(search: Search, dir: string): readonly string[] {
  if (search.left-- <= 0) return [];
  try {
    const real = resolveInRoot(search.root, dir, "follow").path;
    const names = fs.readdirSync(osPath(joinPath(search.root, real)), "latin1").sort().slice(0, maxNames);
    const { filter } = search;
    if (filter === null) return names;
    const state = filter.start(real);
    return names.filter((name) => {
      const child = filter.child(state, real, real, name);
      return child.included || filter.descend(child, joinPath(real, name), joinPath(real, name));
    });
  } catch {
    return [];
  }
}

/** Names at most a third of their letters away whatever the case, closest first. */
function closestNames(names: readonly string[], wanted: string): readonly string[] {
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const near = names.flatMap((name) => {
    if (name === wanted || Math.abs(name.length - wanted.length) > limit) return [];
    const distance = editDistance(name.toLowerCase(), wanted.toLowerCase());
    return distance <= limit && distance < wanted.length ? [{ name, distance }] : [];
  });
  return near.sort((a, b) => a.distance - b.distance).slice(0, maxTried).map(({ name }) => name);
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
