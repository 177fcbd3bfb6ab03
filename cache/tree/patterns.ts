import { TbuildError } from "../errors.js";
import { compileGoPattern, type PathTest } from "./goPattern.js";
import { componentsOf } from "./names.js";
import { type IndexedRule, indexRules } from "./ruleIndex.js";

/**
 * Patterns of an ignore file in order, cleaned, comments and blanks removed, `!` kept.
 * Source: features of moby/patternmatcher, see `compilePatterns`.
 */
export type IgnoreRules = readonly string[];

/** The result for one path, which the results for the entries below it are computed from. */
export interface MatchState {
  readonly matched: boolean;
  /** Indices of the rules that matched this path or a parent of it, ascending. */
  readonly hits: readonly number[];
  /** Index of the last rule that decided, or -1. */
  readonly rule: number;
}

/** An ordered list of patterns; the last one that matches a path or one of its parents decides. */
export interface PathMatcher {
  /** True when there are no patterns. */
  readonly empty: boolean;
  /** The result for `path` (text, "/"-separated); `parent` is the result for its directory, null at the top level. */
  match(path: string, parent: MatchState | null): MatchState;
  /** The result for `path` when nothing is known of its parents. */
  matches(path: string): MatchState;
  /** False when every entry below the directory `path` has the same result as it; then there is no need to look. */
  couldMatchBelow(path: string, state: MatchState): boolean;
}

interface Rule extends IndexedRule {
  readonly negated: boolean;
  readonly test: PathTest;
  readonly segments: readonly PathTest[];
  /** Number of leading segments before one with "**", which spans any number; Infinity when there is none. */
  readonly fixed: number;
}

/**
 * Compiles rules once for many paths. Order matters and a later rule wins; `!` takes a match back. Results are those of
 * moby/patternmatcher's MatchesUsingParentResults, also where it differs from its slower siblings. Leading "./" and "/"
 * and trailing "/" are cleaned away as an ignore file's reader does.
 * @throws {TbuildError} invalid_argument when a pattern is malformed
 */
export function compilePatterns(rules: IgnoreRules): PathMatcher {
  const compiled = rules.flatMap((text, index) => compileRule(text, index) ?? []);
  const at = new Map(compiled.map((rule) => [rule.index, rule]));
  const index = indexRules(compiled);

  function match(path: string, parent: MatchState | null): MatchState {
    const inherited = parent?.hits ?? [];
    const candidates = index.candidates(path);
    if (candidates.length === 0 && inherited.length === 0) return UNMATCHED;
    const hits: number[] = [];
    let matched = false;
    let decided = -1;
    for (const candidate of merged(inherited, candidates)) {
      const { negated, test } = at.get(candidate)!;
      // As in Go, a rule that could not change the result is not tested, and so not inherited either.
      if (!inherited.includes(candidate) && (negated !== matched || !test(path))) continue;
      hits.push(candidate);
      if (matched === negated) decided = candidate;
      matched = !negated;
    }
    return { matched, hits, rule: decided };
  }

  function couldMatchBelow(path: string, state: MatchState): boolean {
    const segments = path.split("/");
    return compiled.some((rule) => rule.negated === state.matched && reachesBelow(rule, segments));
  }

  return { empty: compiled.length === 0, match, matches: (path) => matchFromTop(path, match), couldMatchBelow };
}

const UNMATCHED: MatchState = { matched: false, hits: [], rule: -1 };

/** Two ascending lists as one, without doubles. */
function merged(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}

function matchFromTop(path: string, match: PathMatcher["match"]): MatchState {
  let state: MatchState | null = null;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) state = match(path.slice(0, at), state);
  return match(path, state);
}

function compileRule(text: string, index: number): Rule | null {
  const trimmed = text.trim();
  const negated = trimmed.startsWith("!");
  const body = negated ? trimmed.slice(1).trim() : trimmed;
  if (body === "") {
    if (!negated) return null;
    throw new TbuildError("invalid_argument", 'Cannot use pattern "!": there is nothing behind it');
  }
  const pattern = cleanPattern(body);
  const parts = pattern.split("/");
  const wide = parts.findIndex((part) => part.includes("**"));
  const fixed = wide < 0 ? Infinity : wide;
  // A class that holds "/" is cut in two by the split; then only the whole pattern can be trusted.
  const whole = parts.every(hasBalancedClass);
  const segments = whole ? parts.slice(0, wide < 0 ? parts.length : wide).map(compileGoPattern) : [];
  return { index, pattern, negated, test: compileGoPattern(pattern), segments, fixed: whole ? fixed : 0 };
}

function hasBalancedClass(part: string): boolean {
  const bare = part.replace(/\\./gu, "");
  return !bare.endsWith("\\") && (bare.match(/\[/gu)?.length ?? 0) <= (bare.match(/\]/gu)?.length ?? 0);
}

/** Go's filepath.Clean, made relative. */
function cleanPattern(pattern: string): string {
  if (pattern.startsWith("/")) return componentsOf(pattern).join("/") || "/";
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/") || ".";
}

/** True when the rule may match something below a directory that it does not match itself. */
function reachesBelow(rule: Rule, dir: readonly string[]): boolean {
  const shared = Math.min(rule.segments.length, dir.length);
  for (let i = 0; i < shared; i++) {
    if (!rule.segments[i]!(dir[i]!)) return false;
  }
  return rule.fixed <= dir.length || rule.segments.length > dir.length;
}
