import type { SourceRange } from "../../cache/errors.js";
import { parseFailed, quoted } from "./parseErrors.js";
import type { EscapeChar } from "./words.js";

/** A piece of a word. Blanks of a piece that `splits` separate words. */
export type Part = TextPart | VariablePart;

/** Text with quotes and escapes already resolved. */
export interface TextPart {
  readonly kind: "text";
  readonly text: string;
  readonly splits: boolean;
}

/** A reference to a variable and what is done with its value. */
export interface VariablePart {
  readonly kind: "variable";
  readonly name: string;
  readonly operation: Operation;
  readonly splits: boolean;
}

type Parts = readonly Part[];

/** What follows the name in `${name…}`. `when` tells whether an empty value counts as unset, which is what ":" says. */
export type Operation =
  | { readonly kind: "value" }
  | { readonly kind: "default" | "alternate" | "required"; readonly when: "unset" | "unset-or-empty"; readonly word: Parts }
  | { readonly kind: "prefix" | "suffix"; readonly length: "shortest" | "longest"; readonly pattern: Parts }
  | { readonly kind: "replace"; readonly which: "first" | "all"; readonly pattern: Parts; readonly by: Parts };

/** How a text is read: whether quotes are syntax or ordinary characters, and which character escapes. */
export interface Syntax {
  readonly quotes: "remove" | "keep";
  readonly escape: EscapeChar;
  readonly at: SourceRange;
}

interface Cursor extends Syntax {
  readonly text: string;
  pos: number;
  depth: number;
}

/** In a glob pattern an escape stays for the pattern to understand. */
type Escapes = "remove" | "keep";

const deepest = 100;
const nameChars = /[\p{L}\p{Nd}_]+/uy;
const special = /[$\\`'"]/;
const plainChars = /[^$\\`'"}/]+/y;
const digits = /\p{Nd}+/uy;

/** True for text without anything to expand, as most words are. */
export function isPlain(text: string): boolean {
  return !special.test(text);
}

/** Reads the variables, quotes and escapes of `text`. @throws {TbuildError} parse_failed */
export function parseParts(text: string, syntax: Syntax): readonly Part[] {
  if (isPlain(text)) return text === "" ? [] : [{ kind: "text", text, splits: true }];
  const { quotes, escape, at } = syntax;
  return partsUntil({ text, quotes, escape, at, pos: 0, depth: 0 }, null, "remove");
}

function partsUntil(c: Cursor, stop: string | null, escapes: Escapes): Part[] {
  const parts: Part[] = [];
  while (c.pos < c.text.length) {
    const ch = c.text[c.pos]!;
    if (ch === stop) {
      c.pos++;
      return parts;
    }
    if (ch === "$") dollar(c, parts, true);
    else if (ch === "'" && c.quotes === "remove") singleQuoted(c, parts);
    else if (ch === '"' && c.quotes === "remove") doubleQuoted(c, parts, escapes);
    else if (ch === c.escape) escaped(c, parts, escapes);
    else addText(parts, plainRun(c), true);
  }
  if (stop !== null) throw malformed(c, `"${stop}" is missing`);
  return parts;
}

function addText(parts: Part[], text: string, splits: boolean): void {
  const last = parts.at(-1);
  if (last?.kind === "text" && last.splits === splits) parts[parts.length - 1] = { ...last, text: last.text + text };
  else parts.push({ kind: "text", text, splits });
}

/** Moves over the next character, and those after it that mean nothing special wherever they are. */
function plainRun(c: Cursor): string {
  const start = c.pos;
  plainChars.lastIndex = start + 1;
  c.pos = plainChars.test(c.text) ? plainChars.lastIndex : start + 1;
  return c.text.slice(start, c.pos);
}

/** An escape character that ends the text escapes nothing and is dropped. */
function escaped(c: Cursor, parts: Part[], escapes: Escapes): void {
  const kept = escapes === "keep" ? c.escape : "";
  addText(parts, kept + (c.text[c.pos + 1] ?? ""), false);
  c.pos += 2;
}

function singleQuoted(c: Cursor, parts: Part[]): void {
  const end = c.text.indexOf("'", c.pos + 1);
  if (end < 0) throw malformed(c, "a closing ' is missing");
  addText(parts, c.text.slice(c.pos + 1, end), false);
  c.pos = end + 1;
}

function doubleQuoted(c: Cursor, parts: Part[], escapes: Escapes): void {
  c.pos++;
  while (c.pos < c.text.length) {
    const ch = c.text[c.pos]!;
    if (ch === '"') {
      c.pos++;
      return;
    }
    if (ch === "$") dollar(c, parts, false);
    else if (ch === c.escape) addText(parts, escapedInQuotes(c, escapes), false);
    else addText(parts, plainRun(c), false);
  }
  throw malformed(c, 'a closing " is missing');
}

/** Inside double quotes an escape character that escapes nothing special stands for itself. */
function escapedInQuotes(c: Cursor, escapes: Escapes): string {
  const kept = escapes === "keep" ? c.escape : "";
  const next = c.text[++c.pos];
  if (next !== '"' && next !== "$" && next !== c.escape) return kept + c.escape;
  c.pos++;
  return kept + next;
}

function dollar(c: Cursor, parts: Part[], splits: boolean): void {
  c.pos++;
  if (c.text[c.pos] === "{") {
    parts.push(braced(c, splits));
    return;
  }
  const name = readName(c);
  if (name === "") addText(parts, "$", splits);
  else parts.push({ kind: "variable", name, operation: { kind: "value" }, splits });
}

function braced(c: Cursor, splits: boolean): VariablePart {
  c.pos++;
  if (++c.depth > deepest) throw malformed(c, `it nests deeper than ${deepest} levels`);
  const first = c.text[c.pos];
  if (first === undefined) throw malformed(c, '"}" is missing');
  if (first === "{" || first === "}" || first === ":") throw malformed(c, 'a variable name is missing after "${"');
  const name = readName(c);
  const operation = readOperation(c, c.text[c.pos++]);
  c.depth--;
  return { kind: "variable", name, operation, splits };
}

/** A name, a run of digits, or one special parameter; empty when there is none. */
function readName(c: Cursor): string {
  const name = match(digits, c) ?? match(nameChars, c);
  if (name !== null) return name;
  const ch = c.text[c.pos];
  if (ch === undefined || !"@*#?-$!".includes(ch)) return "";
  c.pos++;
  return ch;
}

function match(pattern: RegExp, c: Cursor): string | null {
  const start = c.pos;
  pattern.lastIndex = start;
  if (!pattern.test(c.text)) return null;
  c.pos = pattern.lastIndex;
  return c.text.slice(start, c.pos);
}

const worded = { "-": "default", "+": "alternate", "?": "required" } as const;

function readOperation(c: Cursor, ch: string | undefined): Operation {
  switch (ch) {
    case "}":
      return { kind: "value" };
    case "-":
    case "+":
    case "?":
      return { kind: worded[ch], when: "unset", word: partsUntil(c, "}", "remove") };
    case ":":
      return readColon(c, c.text[c.pos++]);
    case "#":
    case "%": {
      const longest = c.text[c.pos] === ch;
      if (longest) c.pos++;
      const kind = ch === "#" ? "prefix" : "suffix";
      return { kind, length: longest ? "longest" : "shortest", pattern: partsUntil(c, "}", "keep") };
    }
    case "/":
      return readReplace(c);
    default:
      throw malformed(c, ch === undefined ? '"}" is missing' : `modifier "${ch}" is not supported`);
  }
}

function readColon(c: Cursor, ch: string | undefined): Operation {
  if (ch === "-" || ch === "+" || ch === "?") {
    return { kind: worded[ch], when: "unset-or-empty", word: partsUntil(c, "}", "remove") };
  }
  throw malformed(c, ch === undefined ? '"}" is missing' : `modifier ":${ch}" is not supported`);
}

function readReplace(c: Cursor): Operation {
  const all = c.text[c.pos] === "/";
  if (all) c.pos++;
  const pattern = partsUntil(c, "/", "keep");
  return { kind: "replace", which: all ? "all" : "first", pattern, by: partsUntil(c, "}", "keep") };
}

function malformed(c: Cursor, reason: string): Error {
  return parseFailed(`Cannot expand ${quoted(c.text)}: ${reason}`, c.at);
}
