import type { SourceRange, TbuildError } from "../../cache/errors.js";
import { type PhysicalLine, physicalLines } from "./linesPhysical.js";
import { parseFailed, quoted } from "./parseErrors.js";
import { type EscapeChar, skipSpaces, trimEnd } from "./words.js";

/** Value of a parser directive and its line. */
export interface Directive {
  readonly value: string;
  readonly at: SourceRange;
}

/** The parser directives at the top of a file. */
export interface Directives {
  /** By lower-cased key. */
  readonly values: ReadonlyMap<string, Directive>;
  readonly escape: EscapeChar;
  /** Index of the first line that is none. */
  readonly next: number;
  readonly mistakes: readonly TbuildError[];
}

const known: ReadonlySet<string> = new Set(["syntax", "escape", "check"]);
const directive = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S[^]*)$/;

/**
 * Reads `# key=value` lines up to the first line that is something else: an unknown key, a comment, a blank line. After
 * a `#!` line they still count, except `escape`, which BuildKit does not accept there either.
 */
export function readDirectives(lines: readonly PhysicalLine[], file: string, prefix: "#" | "//" = "#"): Directives {
  const values = new Map<string, Directive>();
  const mistakes: TbuildError[] = [];
  const shebang = lines[0]?.text.startsWith("#!") === true;
  let next = shebang ? 1 : 0;
  for (; next < lines.length; next++) {
    const match = matchDirective(lines[next]!.text, prefix);
    if (match === null) break;
    const { key, value } = match;
    const at = wholeLine(lines[next]!, next, file);
    if (values.has(key)) mistakes.push(parseFailed(`Cannot use parser directive "${key}" twice`, at));
    else if (key === "escape" && value !== "\\" && value !== "`") mistakes.push(badEscape(value, at));
    else values.set(key, { value, at });
  }
  const escape = !shebang && values.get("escape")?.value === "`" ? "`" : "\\";
  return { values, escape, next, mistakes };
}

/** The frontend that a file asks for: an image reference and the whole value it is the first word of. */
export interface SyntaxRequest {
  readonly ref: string;
  readonly cmdline: string;
  /** Null when a JSON document says it. */
  readonly at: SourceRange | null;
}

/**
 * Finds `# syntax=`, `// syntax=` or the key "syntax" of a JSON document, so that files which are no Dockerfiles can name
 * their frontend too. Null when the file does not.
 */
export function detectSyntax(text: string, file: string): SyntaxRequest | null {
  const lines = physicalLines(text);
  for (const prefix of ["#", "//"] as const) {
    const found = readDirectives(lines, file, prefix).values.get("syntax");
    if (found !== undefined) return { ref: found.value.split(" ", 1)[0]!, cmdline: found.value, at: found.at };
  }
  const value = jsonSyntax(text);
  return value === null ? null : { ref: value, cmdline: value, at: null };
}

function jsonSyntax(text: string): string | null {
  try {
    const value: unknown = (JSON.parse(text.replace(/^#!.*\n/, "")) as { syntax?: unknown } | null)?.syntax;
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

function matchDirective(line: string, prefix: string): { key: string; value: string } | null {
  const text = line.slice(skipSpaces(line, 0));
  if (!text.startsWith(prefix)) return null;
  const match = directive.exec(trimEnd(text.slice(skipSpaces(text, prefix.length))));
  const key = match?.[1]?.toLowerCase();
  return match === null || key === undefined || !known.has(key) ? null : { key, value: match[2]! };
}

function wholeLine(line: PhysicalLine, index: number, file: string): SourceRange {
  const column = Math.max(1, line.text.length);
  return { file, start: { line: index + 1, column: 1 }, end: { line: index + 1, column } };
}

function badEscape(value: string, at: SourceRange): TbuildError {
  return parseFailed(`Cannot use ${quoted(value)} as escape character`, at, 'Use "\\" or "`"');
}
