/** Which rules of a long list can match a path at all, found without testing each. */
export interface RuleIndex {
  /** Positions in the list, ascending; a rule that is not among them does not match `path`. */
  candidates(path: string): readonly number[];
}

/** A cleaned pattern without its "!", and its position in the list. */
export interface IndexedRule {
  readonly index: number;
  readonly pattern: string;
}

/** What every path that a pattern matches has in common. */
interface Shape {
  /** First component; null when it is not fixed. */
  readonly first: string | null;
  /** Last component; null when it is not fixed. */
  readonly last: string | null;
  /** Number of components; null when it is not fixed. */
  readonly depth: number | null;
  /** Text that ends the path. */
  readonly tail: string;
}

interface Entry extends Shape {
  readonly index: number;
}

/**
 * Sorts rules by what they fix of a path: its first component, else its last, else its depth. A path then meets only
 * those that fix what it has, and the few that fix nothing.
 */
export function indexRules(rules: readonly IndexedRule[]): RuleIndex {
  const byFirst = new Map<string, Entry[]>();
  const byLast = new Map<string, Entry[]>();
  const byDepth = new Map<number, Entry[]>();
  const rest: Entry[] = [];
  for (const { index, pattern } of rules) {
    const entry = { index, ...shapeOf(pattern) };
    if (entry.first !== null) add(byFirst, entry.first, entry);
    else if (entry.last !== null) add(byLast, entry.last, entry);
    else if (entry.depth !== null) add(byDepth, entry.depth, entry);
    else rest.push(entry);
  }
  return {
    candidates(path) {
      const slash = path.indexOf("/");
      const found: number[] = [];
      collect(byFirst.get(slash < 0 ? path : path.slice(0, slash)), path, found);
      if (byLast.size > 0) collect(byLast.get(path.slice(path.lastIndexOf("/") + 1)), path, found);
      if (byDepth.size > 0) collect(byDepth.get(depthOf(path)), path, found);
      collect(rest, path, found);
      return found.length < 2 ? found : found.sort((a, b) => a - b);
    },
  };
}

function add<K>(map: Map<K, Entry[]>, key: K, entry: Entry): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}

function collect(entries: readonly Entry[] | undefined, path: string, found: number[]): void {
  if (entries === undefined) return;
  for (const { index, tail } of entries) if (tail === "" || path.endsWith(tail)) found.push(index);
}

function depthOf(path: string): number {
  let depth = 1;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) depth++;
  return depth;
}

const UNFIXED: Shape = { first: null, last: null, depth: null, tail: "" };

function shapeOf(pattern: string): Shape {
  // Classes and escapes can stand for "/" or for more than they seem to: nothing is concluded from them.
  if (/[[\]\\^]/.test(pattern)) return UNFIXED;
  const parts = pattern.split("/");
  const spans = pattern.includes("**");
  const [first = ""] = parts;
  const last = parts.at(-1) ?? "";
  const tail = last.slice(Math.max(last.lastIndexOf("*"), last.lastIndexOf("?")) + 1);
  return {
    // "a/**" is a prefix, which "a/" also is of itself; the component stays fixed.
    first: isFixed(first) && parts.length > 1 ? first : isFixed(pattern) ? pattern : null,
    last: isFixed(last) && parts.length > 1 ? last : null,
    depth: spans ? null : parts.length,
    tail: isFixed(last) && parts.length === 1 ? "" : tail,
  };
}

function isFixed(part: string): boolean {
  return !/[*?]/.test(part);
}
