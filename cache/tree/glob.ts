import { TbuildError } from "../errors.js";
import { regexpTest } from "./linearMatch.js";
import { toText } from "./names.js";

/** Says whether one path component (a byte string) matches. */
export type NameMatcher = (name: string) => boolean;

/** True when `pattern` holds an unescaped `*`, `?` or `[`. Source: BuildKit fsutil/copy, containsWildcards. */
export function hasWildcards(pattern: string): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === "\\") i++;
    else if (char === "*" || char === "?" || char === "[") return true;
  }
  return false;
}

/**
 * Compiles one path component of a COPY wildcard. `pattern` is text, not a byte string.
 * Source: Go path/filepath.Match. `[!a]` is a class of "!" and "a" there; negation is `[^a]`.
 * @throws {TbuildError} invalid_argument when the pattern is malformed
 */
export function globMatcher(pattern: string): NameMatcher {
  const source = globSource(pattern);
  if (source === null) throw badPattern(pattern);
  const test = regexpTest(source);
  return (name) => test(toText(name));
}

/** @throws {TbuildError} invalid_argument when Go's filepath.Match would call `pattern` malformed */
export function checkGlob(pattern: string): void {
  if (globSource(pattern) === null) throw badPattern(pattern);
}

/** The error for a malformed pattern. */
export function badPattern(pattern: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use pattern "${pattern}": its syntax is wrong`, {
    hint: 'Write "\\[" or "\\\\" to mean these characters themselves',
  });
}

function globSource(pattern: string): string | null {
  const chars = Array.from(pattern);
  let out = "";
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    if (char === "*") out += "[^/]*";
    else if (char === "?") out += "[^/]";
    else if (char === "\\") {
      const next = chars[++i];
      if (next === undefined) return null;
      out += codePoint(next);
    } else if (char === "[") {
      const end = classSource(chars, i + 1);
      if (end === null) return null;
      out += end.source;
      i = end.last;
    } else out += codePoint(char);
  }
  return out;
}

/** A class from behind its "[": its regular expression and the index of its "]". */
function classSource(chars: readonly string[], start: number): { source: string; last: number } | null {
  let i = start;
  const negated = chars[i] === "^";
  if (negated) i++;
  let body = "";
  while (body === "" || chars[i] !== "]") {
    const low = classChar(chars, i);
    if (low === null) return null;
    i = low.next;
    let high = low;
    if (chars[i] === "-") {
      const end = classChar(chars, i + 1);
      if (end === null) return null;
      high = end;
      i = end.next;
    }
    // Go's class of an upside-down range is legal and matches nothing.
    const inOrder = low.char.codePointAt(0)! <= high.char.codePointAt(0)!;
    body += inOrder ? `${codePoint(low.char)}-${codePoint(high.char)}` : loneSurrogate;
  }
  return { source: `[${negated ? "^" : ""}${body}]`, last: i };
}

function classChar(chars: readonly string[], at: number): { char: string; next: number } | null {
  const escaped = chars[at] === "\\";
  const char = chars[escaped ? at + 1 : at];
  if (char === undefined || (!escaped && (char === "-" || char === "]"))) return null;
  const next = at + (escaped ? 2 : 1);
  return next < chars.length ? { char, next } : null;
}

function codePoint(char: string): string {
  return `\\u{${char.codePointAt(0)!.toString(16)}}`;
}

/** Cannot occur in text that was decoded from bytes. */
const loneSurrogate = "\\u{d800}";
