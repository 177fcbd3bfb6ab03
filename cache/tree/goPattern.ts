import { TbuildError } from "../errors.js";
import { badPattern, checkGlob } from "./glob.js";
import { regexpTest } from "./linearMatch.js";

/** Says whether a "/"-separated path, as text, matches one pattern itself (not by a parent). */
export type PathTest = (path: string) => boolean;

/**
 * Compiles one cleaned ignore pattern without its "!". The four kinds and their oddities (`foo/**` is a prefix,
 * `**foo` a suffix, `[!a]` no negation) are those of moby/patternmatcher, Pattern.compile.
 * @throws {TbuildError} invalid_argument
 */
export function compileGoPattern(pattern: string): PathTest {
  if (pattern.length > LONGEST_PATH) {
    throw new TbuildError("invalid_argument", `Cannot use pattern "${pattern.slice(0, 40)}…": it is longer than any path can be`);
  }
  checkGlob(pattern);
  const { kind, source } = translate(pattern);
  if (kind === "exact") return (path) => path === pattern;
  if (kind === "prefix") {
    const prefix = pattern.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  if (kind === "suffix") return suffixTest(pattern.slice(2));
  try {
    return regexpTest(toRegExp(source, pattern));
  } catch {
    throw badPattern(pattern);
  }
}

/** PATH_MAX of Linux. */
const LONGEST_PATH = 4096;

type Kind = "exact" | "prefix" | "suffix" | "regexp";

function suffixTest(suffix: string): PathTest {
  const whole = suffix.startsWith("/") ? suffix.slice(1) : null;
  return (path) => path.endsWith(suffix) || path === whole;
}

/** The regular expression in Go's syntax that patternmatcher builds, and the kind of match it settles on. */
function translate(pattern: string): { kind: Kind; source: string } {
  const chars = Array.from(pattern);
  let kind: Kind = "exact";
  let source = "";
  for (let i = 0, n = 0; i < chars.length; i++, n++) {
    const char = chars[i]!;
    if (char === "*" && chars[i + 1] === "*") {
      i += chars[i + 2] === "/" ? 2 : 1;
      const last = i + 1 === chars.length;
      source += last ? ".*" : "(.*/)?";
      kind = last && kind === "exact" ? "prefix" : "regexp";
      if (n === 0) kind = "suffix";
    } else if (char === "*" || char === "?") {
      source += char === "*" ? "[^/]*" : "[^/]";
      kind = "regexp";
    } else if (char === "\\") {
      source += `\\${chars[++i] ?? ""}`;
      kind = "regexp";
    } else {
      source += ".+()|{}$".includes(char) ? `\\${char}` : char;
      if (char === "[" || char === "]") kind = "regexp";
    }
  }
  return { kind, source };
}

/** Go's regular expression as one of JavaScript's, whose "u" mode is stricter about brackets and escapes. */
function toRegExp(source: string, pattern: string): string {
  let out = "";
  let classAt = -1;
  for (let i = 0; i < source.length; i++) {
    const char = source[i]!;
    if (char === "\\") out += escape(source[++i] ?? "", pattern);
    else if (char === "[" && classAt < 0) {
      classAt = source[i + 1] === "^" ? i + 2 : i + 1;
      out += char;
    } else if (char === "[") out += "\\[";
    else if (char === "]" && (classAt < 0 || i === classAt)) out += "\\]";
    else {
      if (char === "]") classAt = -1;
      out += char;
    }
  }
  return out;
}

/** What `\x` means to Go's regular expressions: a class for a few letters, else the character itself. */
function escape(char: string, pattern: string): string {
  if (/[dDsSwWbBfnrtv]/.test(char)) return `\\${char}`;
  if (/[A-Za-z0-9]/.test(char)) throw badPattern(pattern);
  return /[-^$\\.*+?()[\]{}|/]/.test(char) ? (char === "-" ? "\\u{2d}" : `\\${char}`) : char;
}
