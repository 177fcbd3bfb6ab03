import { isTbuildError, type SourceRange, type TbuildError } from "../../cache/errors.js";
import { readDirectives } from "./directives.js";
import type { Instruction, ParsedDockerfile } from "./instruction.js";
import { refuseForbiddenTrigger } from "./instructions/parse/onbuild.js";
import { type Place, keywordRange, rawInstruction } from "./instructions/parse/raw.js";
import { parseInstruction } from "./instructions/parse/table.js";
import { checkLength } from "./limits.js";
import { type LogicalLine, logicalLines, positionOf, rangeIn } from "./lines.js";
import { decodeText, physicalLines } from "./linesPhysical.js";
import { joinMistakes, parseFailed, quoted } from "./parseErrors.js";
import type { EscapeChar } from "./words.js";

/** A file that is no Dockerfile at all would otherwise be reported line by line. */
const mostMistakes = 50;

/**
 * Parses a whole file; variables stay as written. `file` is its name for messages.
 * @throws {TbuildError} parse_failed for the first mistake, with `at`; `others` has the further ones in order, 50 in all;
 * resource_exhausted for a file of more than 10,000 instructions
 */
export function parseDockerfile(text: string | Uint8Array, file: string): ParsedDockerfile {
  const source = decodeText(text);
  const lines = physicalLines(source);
  const directives = readDirectives(lines, file);
  const mistakes: TbuildError[] = [...directives.mistakes];
  const instructions: Instruction[] = [];
  const emptyContinuations: SourceRange[] = [];
  let staged = false;
  for (const line of logicalLines(source, lines, directives.next, directives.escape)) {
    if (mistakes.length >= mostMistakes) break;
    if (line.blank) emptyContinuations.push(blankRange(line.pieces.at(-1)!.line, file));
    const parsed = attempt(() => parseLine(line, directives.escape, placeIn(line, file), staged));
    if (isTbuildError(parsed)) mistakes.push(parsed);
    else instructions.push(parsed);
    checkLength(instructions);
    staged ||= !/^\s*arg\b/i.test(line.text); // a missing FROM is said once
  }
  if (mistakes.length === 0 && instructions.length === 0) mistakes.push(empty(file));
  if (mistakes.length > 0) throw joinMistakes(mistakes);
  return { file, escape: directives.escape, directives: directives.values, instructions, emptyContinuations };
}

/**
 * Parses what an image's config holds as one ONBUILD trigger. Everything is said to be at `at`, the FROM that brought it.
 * @throws {TbuildError} parse_failed
 */
export function parseTrigger(trigger: string, at: SourceRange, escape: EscapeChar): Instruction {
  const place: Place = { range: () => at, toEnd: () => at };
  const [line, ...more] = logicalLines(trigger, physicalLines(trigger), 0, escape);
  if (line === undefined || more.length > 0) {
    throw parseFailed(`Cannot parse ONBUILD trigger ${quoted(trigger)}: it must be one instruction`, at);
  }
  refuseForbiddenTrigger(rawInstruction(line, 0, escape, place));
  return parseLine(line, escape, place, true);
}

function parseLine(line: LogicalLine, escape: EscapeChar, place: Place, staged: boolean): Instruction {
  if (line.unterminated !== null) {
    const { name, start, end } = line.unterminated;
    const hint = `End it with a line that is exactly ${quoted(name)}, or quote "<<" if it is no here-document`;
    throw parseFailed(`Cannot find the end of here-document ${quoted(name)}`, place.range(start, end), hint);
  }
  const raw = rawInstruction(line, 0, escape, place);
  const instruction = parseInstruction(raw);
  if (staged || instruction.name === "from" || instruction.name === "arg") return instruction;
  throw parseFailed(`Cannot use ${raw.label} before the first FROM`, keywordRange(raw), "Only ARG may stand there");
}

function placeIn(line: LogicalLine, file: string): Place {
  return {
    range: (start, end) => rangeIn(line, start, end, file),
    toEnd: (start) => ({ file, start: positionOf(line, start), end: line.last }),
  };
}

function attempt(parse: () => Instruction): Instruction | TbuildError {
  try {
    return parse();
  } catch (error) {
    if (isTbuildError(error)) return error;
    throw error;
  }
}

function blankRange(line: number, file: string): SourceRange {
  return { file, start: { line, column: 1 }, end: { line, column: 1 } };
}

function empty(file: string): TbuildError {
  const at = { file, start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  return parseFailed(`Cannot build from ${quoted(file)}: it has no instructions`, at);
}
