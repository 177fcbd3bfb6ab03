import { type SourceRange, TbuildError } from "../../cache/errors.js";
import { isPlain, type Operation, type Part, parseParts, type Syntax, type VariablePart } from "./expandSyntax.js";
import { type Glob, parseGlob, removePrefix, removeSuffix, replaceGlob } from "./glob.js";
import type { Word } from "./instruction.js";
import { parseFailed, quoted } from "./parseErrors.js";
import { type EscapeChar, isSpace } from "./words.js";

/** Where the values of variables come from. */
export interface ExpandEnv {
  /** Undefined when the variable is not set. */
  get(name: string): string | undefined;
}

/** An expanded word. */
export interface ExpandResult {
  readonly text: string;
  /** Names that were asked for and not set, each once, in order. */
  readonly unmatched: readonly string[];
}

/** Values that double on every line would otherwise fill the memory. */
const largestResult = 16 << 20;

const none: readonly string[] = [];

interface Context {
  readonly env: ExpandEnv;
  readonly at: SourceRange;
  readonly unmatched: Set<string>;
  size: number;
}

interface Piece {
  readonly text: string;
  readonly splits: boolean;
}

/**
 * One string: variables replaced, quotes removed, escapes resolved. Only the words of an operation that is really
 * chosen are evaluated: `${a:-${b:?}}` does not fail while `a` is set.
 * @throws {TbuildError} parse_failed on bad syntax; invalid_argument on `${v:?message}` and results above 16 MiB
 */
export function expandWord(word: Word, env: ExpandEnv, escape: EscapeChar, at: SourceRange): ExpandResult {
  if (isPlain(word)) return { text: word, unmatched: none };
  const { pieces, unmatched } = expandText(word, env, { quotes: "remove", escape, at });
  return { text: join(pieces), unmatched };
}

/** Like {@link expandWord}, then split on blanks that are not quoted or escaped; values of variables split too. */
export function expandWords(
  word: Word,
  env: ExpandEnv,
  escape: EscapeChar,
  at: SourceRange,
): { readonly words: readonly string[]; readonly unmatched: readonly string[] } {
  const { pieces, unmatched } = expandText(word, env, { quotes: "remove", escape, at });
  return { words: splitPieces(pieces), unmatched };
}

/**
 * For the body of a here-document: variables replaced, quotes kept. An escape character is dropped and the character
 * after it stands for itself, as BuildKit does: `\$` is a dollar, `\\` one backslash, `\n` an n.
 */
export function expandRaw(text: string, env: ExpandEnv, escape: EscapeChar, at: SourceRange): ExpandResult {
  const { pieces, unmatched } = expandText(text, env, { quotes: "keep", escape, at });
  return { text: join(pieces), unmatched };
}

function expandText(text: string, env: ExpandEnv, syntax: Syntax): { pieces: readonly Piece[]; unmatched: readonly string[] } {
  const context: Context = { env, at: syntax.at, unmatched: new Set(), size: text.length };
  const pieces = evaluate(parseParts(text, syntax), context);
  return { pieces, unmatched: context.unmatched.size === 0 ? none : [...context.unmatched] };
}

function evaluate(parts: readonly Part[], context: Context): Piece[] {
  return parts.map((part) => (part.kind === "text" ? part : { text: valueOf(part, context), splits: part.splits }));
}

function join(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join("");
}

function splitPieces(pieces: readonly Piece[]): string[] {
  const words: string[] = [];
  let word = "";
  for (const piece of pieces) {
    if (!piece.splits) {
      word += piece.text;
      continue;
    }
    for (const ch of piece.text) {
      if (!isSpace(ch)) word += ch;
      else if (word !== "") {
        words.push(word);
        word = "";
      }
    }
  }
  if (word !== "") words.push(word);
  return words;
}

function valueOf(part: VariablePart, context: Context): string {
  const value = context.env.get(part.name);
  if (value === undefined) context.unmatched.add(part.name);
  const result = operate(part.name, part.operation, value, context);
  context.size += result.length;
  if (context.size > largestResult) throw tooLarge(part.name, context);
  return result;
}

function operate(name: string, operation: Operation, value: string | undefined, context: Context): string {
  switch (operation.kind) {
    case "value":
      return value ?? "";
    case "default":
      return isMissing(operation.when, value) ? join(evaluate(operation.word, context)) : (value ?? "");
    case "alternate":
      return isMissing(operation.when, value) ? "" : join(evaluate(operation.word, context));
    case "required":
      if (!isMissing(operation.when, value)) return value ?? "";
      throw required(name, value, join(evaluate(operation.word, context)), context);
    case "prefix":
      return removePrefix(value ?? "", glob(operation.pattern, context), operation.length);
    case "suffix":
      return removeSuffix(value ?? "", glob(operation.pattern, context), operation.length);
    case "replace":
      return replace(name, operation, value ?? "", context);
  }
}

function isMissing(when: "unset" | "unset-or-empty", value: string | undefined): boolean {
  return value === undefined || (when === "unset-or-empty" && value === "");
}

function replace(name: string, operation: Operation & { kind: "replace" }, value: string, context: Context): string {
  const pattern = glob(operation.pattern, context);
  const parts = replaceGlob(value, pattern, join(evaluate(operation.by, context)), operation.which);
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  if (size > largestResult) throw tooLarge(name, context);
  return parts.join("");
}

function glob(parts: readonly Part[], context: Context): Glob {
  const pattern = join(evaluate(parts, context));
  const compiled = parseGlob(pattern);
  if (compiled !== null) return compiled;
  const hint = "In a pattern a backslash may escape *, ?, /, } or another backslash";
  throw parseFailed(`Cannot expand pattern ${quoted(pattern)}: invalid escape`, context.at, hint);
}

function required(name: string, value: string | undefined, message: string, context: Context): TbuildError {
  const reason = message !== "" ? message : value === undefined ? "it must be set" : "it must not be empty";
  return new TbuildError("invalid_argument", `Cannot expand variable "${name}": ${reason}`, { at: context.at });
}

function tooLarge(name: string, context: Context): TbuildError {
  const message = `Cannot expand variable "${name}": the result is larger than 16 MiB`;
  return new TbuildError("invalid_argument", message, { at: context.at });
}
