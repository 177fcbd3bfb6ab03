import { existsSync } from "node:fs";
import path from "node:path";
import { type SourceRange, TbuildError } from "../cache/errors.js";
import { namesAround } from "../cache/tree/closest.js";
import { explainMissing, type Missing } from "../cache/tree/explain.js";
import { componentsOf, toBytes } from "../cache/tree/names.js";
import type { IgnoreRules } from "../cache/tree/patterns.js";
import { type IgnoreFile, shownRule } from "./ignoreFile.js";

/** A tree that a path was not found in. */
export interface SearchedTree {
  /** Absolute path of its root. */
  readonly path: string;
  readonly ignore: IgnoreRules;
  /** Where the rules stand. */
  readonly ignoreFile: IgnoreFile | null;
  /** What errors call it: `the build context "/home/me/app"`, `stage "build"`. */
  readonly name: string;
  /** Paths of a stage begin with "/", those of a directory do not. */
  readonly kind: "directory" | "stage";
}

/** The error for a path (or wildcard) that a step wants to read and that is not there: with the reason, and what may have been meant. */
export function missingSource(doing: "copy" | "mount", asked: string, tree: SearchedTree, at?: SourceRange): TbuildError {
  const wanted = shown(asked, tree);
  const missing = explainMissing(tree.path, tree.ignore, asked);
  const { why, hint } = reasonOf(missing, asked, tree);
  return new TbuildError("not_found", `Cannot ${doing} "${wanted}": ${why}`, { at, hint });
}

/** "all 2 matches are excluded by .dockerignore:1: "*.log"". */
export function excludedBy({ rules, matches }: Extract<Missing, { kind: "excluded" }>, ignoreFile: IgnoreFile | null): string {
  const named = rules.slice(0, MAX_RULES).map((rule) => (ignoreFile === null ? "an ignore rule" : shownRule(ignoreFile, rule)));
  const by = `excluded by ${[...new Set(named)].join(" and ")}${rules.length > MAX_RULES ? " and others" : ""}`;
  return matches > 1 ? `all ${matches} matches are ${by}` : by;
}

const MAX_RULES = 3;

interface Reason {
  readonly why: string;
  readonly hint?: string | undefined;
}

function reasonOf(missing: Missing, asked: string, tree: SearchedTree): Reason {
  switch (missing.kind) {
    case "excluded":
      return { why: excludedBy(missing, tree.ignoreFile), hint: `Remove the rule, or add "!${shown(asked, tree)}" after it` };
    case "dangling": {
      const why = `"${shown(missing.path, tree)}" is a symbolic link to "${missing.target}", which is not in ${tree.name}`;
      return { why, hint: tree.kind === "directory" ? "Links lead only to what is inside; copy the file itself into the context" : undefined };
    }
    case "not-a-directory":
      return { why: `"${shown(missing.path, tree)}" is not a directory` };
    case "absent":
      return { why: `no such path in ${tree.name}`, hint: hintFor(missing, asked, tree) };
  }
}

function hintFor({ closest }: Extract<Missing, { kind: "absent" }>, asked: string, tree: SearchedTree): string | undefined {
  if (tree.kind === "directory" && (closest === null || closest.how === "elsewhere")) {
    const outside = existingAbove(tree.path, asked);
    if (outside !== null) return `"${outside}" is outside of it: give a directory above as the context, or add it with --build-context`;
  }
  if (closest === null) return holds(asked, tree);
  const meant = `id you mean "${shown(closest.path, tree)}"?`;
  return closest.how === "outside" && tree.kind === "directory" ? `Paths start at the context itself: d${meant}` : `D${meant}`;
}

/** With nothing alike, what there is instead. */
function holds(asked: string, tree: SearchedTree): string | undefined {
  const { path: dir, names } = namesAround(toBytes(tree.path), tree.ignore, componentsOf(toBytes(asked)));
  if (names.length === 0) return tree.ignoreFile === null || dir !== "" ? undefined : `${tree.ignoreFile.name} leaves nothing of it`;
  const list = `${names.slice(0, MAX_NAMES).join(", ")}${names.length > MAX_NAMES ? ", …" : ""}`;
  return dir === "" && tree.kind === "directory" ? `It holds ${list}` : `"${shown(dir, tree)}" holds ${list}`;
}

const MAX_NAMES = 8;

/** The path, when it exists from a directory above: ".." at the start of a source is dropped, as the context has no parent. */
function existingAbove(context: string, asked: string): string | null {
  const below = asked.replace(/^\/+/, "");
  if (below === "") return null;
  for (let dir = context; path.dirname(dir) !== dir; ) {
    dir = path.dirname(dir);
    const found = path.join(dir, below);
    if (existsSync(found)) return dir === "/" ? found : path.relative(context, found);
  }
  return null;
}

function shown(asked: string, { kind }: SearchedTree): string {
  const bare = asked.replace(/^\/+/, "");
  return kind === "stage" ? `/${bare}` : bare;
}
