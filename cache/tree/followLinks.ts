import fs from "node:fs";
import { globMatcher, hasWildcards } from "./glob.js";
import { componentsOf, joinPath, osPath, toBytes, toText } from "./names.js";
import { lstatOrNull } from "./resolve.js";
import { namesIn } from "./walk.js";

/**
 * Patterns for these paths (which may have wildcards) and for all that links on their way lead to, so that they can be followed
 * in a tree that has nothing else. No link leads out of `root`, a byte string. Source: fsutil, followlinks.go.
 */
export function followLinks(root: string, paths: readonly string[]): readonly string[] | "everything" {
  const found = new Set<string>();
  for (const path of paths) follow(root, componentsOf(toBytes(path)), found);
  return found.has("") ? "everything" : [...found].map((path) => toText(path)).sort();
}

function follow(root: string, parts: readonly string[], found: Set<string>): void {
  let at = "";
  for (const [index, part] of parts.entries()) {
    const targets = targetsOf(root, at, part);
    at = joinPath(at, index === 0 ? part.replace(/^!/, "\\!") : part);
    if (targets.length === 0) continue;
    // Links may lead to each other.
    if (found.has(at)) return;
    found.add(at);
    for (const target of targets) follow(root, [...target, ...parts.slice(index + 1)], found);
    return;
  }
  found.add(at);
}

/** Where the links of this name in a directory lead, as patterns from the root. */
function targetsOf(root: string, dir: string, part: string): readonly (readonly string[])[] {
  const names = hasWildcards(part) ? namesMatching(root, unescaped(dir), part) : [unescaped(part)];
  return names.flatMap((name) => {
    const path = joinPath(root, joinPath(unescaped(dir), name));
    if (lstatOrNull(path)?.isSymbolicLink() !== true) return [];
    const target = fs.readlinkSync(osPath(path), "latin1");
    const full = target.startsWith("/") ? target : joinPath(unescaped(dir), target);
    return [componentsOf(full).map(escaped)];
  });
}

function namesMatching(root: string, dir: string, part: string): readonly string[] {
  if (lstatOrNull(joinPath(root, dir))?.isDirectory() !== true) return [];
  const matches = globMatcher(toText(part));
  return namesIn(root, dir).filter((name) => matches(name));
}

function escaped(name: string): string {
  return name.replace(/[*?[\\\]]/g, "\\$&");
}

function unescaped(pattern: string): string {
  return pattern.replace(/\\(.)/gs, "$1");
}
