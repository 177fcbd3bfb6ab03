import type { SourceRange } from "../../../../cache/errors.js";
import { type Flag, splitHead } from "../../flags.js";
import { chompTabs } from "../../heredoc.js";
import type { Command, Heredoc, InstructionBase } from "../../instruction.js";
import { type JsonForm, readJsonForm } from "../../json.js";
import type { HeredocText, LogicalLine } from "../../lines.js";
import { parseFailed } from "../../parseErrors.js";
import { type EscapeChar, trimSpaces } from "../../words.js";

/** Where the characters of a logical line are for the user. */
export interface Place {
  /** From offset `start` to `end`, exclusive. */
  range(start: number, end: number): SourceRange;
  /** From offset `start` to the end of the last line, here-documents included. */
  toEnd(start: number): SourceRange;
}

/** What the parser of an instruction gets to see. Offsets are those of `line.text`. */
export interface RawInstruction {
  readonly line: LogicalLine;
  readonly place: Place;
  readonly escape: EscapeChar;
  readonly base: InstructionBase;
  readonly keywordStart: number;
  /** Keyword in upper case, for messages. */
  readonly label: string;
  readonly flags: readonly Flag[];
  /** Everything after keyword and flags, without white space around it. */
  readonly args: string;
  readonly argsStart: number;
}

/** Cuts the instruction that starts at offset `from` of `line`. */
export function rawInstruction(line: LogicalLine, from: number, escape: EscapeChar, place: Place): RawInstruction {
  const { keyword, keywordStart, flags, args, argsStart } = splitHead(line.text, escape, from);
  const at = place.toEnd(keywordStart);
  const base: InstructionBase = {
    at,
    original: trimSpaces(line.text.slice(keywordStart)),
    keyword,
    comments: line.comments,
    where: (word) => wordRange(line.text, keywordStart + keyword.length, word, place) ?? at,
  };
  return { line, place, escape, base, keywordStart, label: keyword.toUpperCase(), flags, args, argsStart };
}

/** Range of the first `word` after `from` that stands for itself: between blanks, quotes and the like. */
function wordRange(text: string, from: number, word: string, place: Place): SourceRange | null {
  if (word === "") return null;
  const isEdge = (at: number): boolean => at < 0 || at >= text.length || /[\s"'=,[\]]/.test(text[at]!);
  for (let at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
    if (isEdge(at - 1) && isEdge(at + word.length)) return place.range(at, at + word.length);
  }
  return null;
}

/** Range of the keyword. */
export function keywordRange({ place, keywordStart, base }: RawInstruction): SourceRange {
  return place.range(keywordStart, keywordStart + base.keyword.length);
}

/** Range of the arguments, or of the whole instruction when there are none. */
export function argsRange(raw: RawInstruction): SourceRange {
  return raw.args === "" ? raw.base.at : raw.place.range(raw.argsStart, raw.argsStart + raw.args.length);
}

/** The arguments as JSON or text. @throws {TbuildError} parse_failed when the array holds something else than strings */
export function jsonForm(raw: RawInstruction, text: string = raw.args): Exclude<JsonForm, { kind: "not-strings" }> {
  const form = readJsonForm(text);
  if (form.kind !== "not-strings") return form;
  const hint = "Put every element of the array in double quotes";
  throw parseFailed(`Cannot parse ${raw.label}: a JSON array may hold only strings`, argsRange(raw), hint);
}

/** Exec form when `text` is a JSON array, else shell form. */
export function command(raw: RawInstruction, text: string = raw.args): Command {
  const form = jsonForm(raw, text);
  return form.kind === "strings" ? { form: "exec", args: form.values } : { form: "shell", text };
}

/** @throws {TbuildError} parse_failed when `args` is empty */
export function needArgument(raw: RawInstruction, args: string | readonly unknown[] = raw.args): void {
  if (args.length === 0) throw parseFailed(`${raw.label} requires at least one argument`, raw.base.at);
}

/** A here-document as instructions carry it. */
export function toHeredoc({ name, expand, chomp, fd, body }: HeredocText): Heredoc {
  return { name, expand, chomp, fd, content: chomp ? chompTabs(body) : body };
}
