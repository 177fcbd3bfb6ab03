/** One step of a compiled pattern: a character, any one character, or any run of characters. */
export type GlobToken = { readonly kind: "char"; readonly char: string } | { readonly kind: "one" } | { readonly kind: "many" };

/** A compiled shell pattern. */
export type Glob = readonly GlobToken[];

/**
 * Compiles a pattern of `${name#pattern}` and its kin: `*`, `?`, and `\` before `*`, `?`, `\`, `}` or `/`. There are no
 * bracket expressions. Null when a backslash escapes anything else, or nothing.
 */
export function parseGlob(pattern: string): Glob | null {
  const tokens: GlobToken[] = [];
  const chars = [...pattern];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    if (char === "*") tokens.push({ kind: "many" });
    else if (char === "?") tokens.push({ kind: "one" });
    else if (char !== "\\") tokens.push({ kind: "char", char });
    else {
      const escaped = chars[++i];
      if (escaped === undefined || !"*?\\}/".includes(escaped)) return null;
      tokens.push({ kind: "char", char: escaped });
    }
  }
  return tokens;
}

/** `value` without the shortest or longest prefix that matches. Wildcards do not match a newline. */
export function removePrefix(value: string, glob: Glob, length: "shortest" | "longest"): string {
  const chars = [...value];
  const match = find(glob, chars, 0, { anchored: true, shortest: length === "shortest" });
  return match === null ? value : chars.slice(match.end).join("");
}

/** `value` without the shortest or longest suffix that matches. */
export function removeSuffix(value: string, glob: Glob, length: "shortest" | "longest"): string {
  const chars = [...value].reverse();
  const match = find([...glob].reverse(), chars, 0, { anchored: true, shortest: length === "shortest" });
  return match === null ? value : chars.slice(match.end).reverse().join("");
}

/** `value` with the first match, or every one, replaced by `replacement` as it is; of matches the leftmost longest counts. */
export function replaceGlob(value: string, glob: Glob, replacement: string, which: "first" | "all"): string[] {
  const chars = [...value];
  const parts: string[] = [];
  let from = 0;
  while (from <= chars.length) {
    const match = find(glob, chars, from, { anchored: false, shortest: false });
    if (match === null) break;
    parts.push(chars.slice(from, match.start).join(""), replacement);
    const empty = match.end === match.start;
    if (empty && match.end < chars.length) parts.push(chars[match.end]!);
    from = empty ? match.end + 1 : match.end;
    if (which === "first") break;
  }
  parts.push(chars.slice(from).join(""));
  return parts;
}

interface Match {
  readonly start: number;
  readonly end: number;
}

const none = Number.MAX_SAFE_INTEGER;

/**
 * All states of the pattern advance together, each with the leftmost start that leads to it, so the cost is length
 * times length whatever the pattern; a backtracking RegExp would be exponential in the number of `*`.
 */
function find(glob: Glob, chars: readonly string[], from: number, mode: { anchored: boolean; shortest: boolean }): Match | null {
  const starts = Array.from({ length: glob.length + 1 }, () => none);
  let best: Match | null = null;
  for (let at = from; ; at++) {
    if (best === null && (at === from || !mode.anchored)) starts[0] = Math.min(starts[0]!, at);
    passStars(glob, starts);
    const start = starts[glob.length]!;
    if (start !== none && (best === null || start <= best.start)) best = { start, end: at };
    if (at >= chars.length || (best !== null && mode.shortest)) return best;
    const limit: number = best === null ? none : best.start;
    if (!advance(glob, starts, chars[at]!, limit) && (best !== null || mode.anchored)) return best;
  }
}

function passStars(glob: Glob, starts: number[]): void {
  for (let state = 0; state < glob.length; state++) {
    if (glob[state]!.kind === "many") starts[state + 1] = Math.min(starts[state + 1]!, starts[state]!);
  }
}

/** Moves every state over `char`, dropping those that start after `limit`. False when none is left. */
function advance(glob: Glob, starts: number[], char: string, limit: number): boolean {
  let alive = false;
  for (let state = glob.length; state >= 0; state--) {
    const stays = state < glob.length && glob[state]!.kind === "many" && char !== "\n" ? starts[state]! : none;
    const moves = state > 0 && accepts(glob[state - 1]!, char) ? starts[state - 1]! : none;
    const start = Math.min(stays, moves);
    starts[state] = start <= limit ? start : none;
    alive ||= starts[state] !== none;
  }
  return alive;
}

function accepts(token: GlobToken, char: string): boolean {
  return token.kind === "char" ? token.char === char : token.kind === "one" && char !== "\n";
}
