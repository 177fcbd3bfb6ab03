import type { SourcePosition, SourceRange } from "../../cache/errors.js";
import { type HeredocMarker, heredocMarkers } from "./heredoc.js";
import type { PhysicalLine } from "./linesPhysical.js";
import { type EscapeChar, skipSpaces, trimSpaces } from "./words.js";

/** A here-document with its lines as they are in the file, newlines and leading tabs included. */
export interface HeredocText extends HeredocMarker {
  readonly body: string;
}

/** One instruction on one line: continuations joined, comments and blank lines between them dropped. */
export interface LogicalLine {
  readonly text: string;
  /** Where the pieces of `text` come from, in order. */
  readonly pieces: readonly Piece[];
  /** Last line, here-documents included, counted from 1, and its length. */
  readonly last: SourcePosition;
  /** Comment lines above, without "#" and white space around them; an empty one starts over. */
  readonly comments: readonly string[];
  /** A line of a continuation is blank. */
  readonly blank: boolean;
  readonly heredocs: readonly HeredocText[];
  /** A here-document that never ended; it swallowed the rest of the file. */
  readonly unterminated: HeredocMarker | null;
}

/** From `offset` of the logical line on, the text is that of this place. */
export interface Piece extends SourcePosition {
  readonly offset: number;
}

/**
 * Joins the lines of `text` from index `from` on into instructions. `lines` are those of `text`. Everything is visited
 * once, so a hostile file costs its length.
 */
export function* logicalLines(
  text: string,
  lines: readonly PhysicalLine[],
  from: number,
  escape: EscapeChar,
): Generator<LogicalLine> {
  let comments: string[] = [];
  for (let index = from; index < lines.length; ) {
    const line = lines[index]!.text;
    const start = skipSpaces(line, 0);
    if (line[start] === "#") {
      const comment = trimSpaces(line.slice(start + 1));
      if (comment === "") comments = [];
      else comments.push(comment);
      index++;
    } else if (start === line.length) index++;
    else {
      const joined = joinContinuations(lines, index, start, escape);
      const bodies = readHeredocs(text, lines, joined.next, heredocMarkers(joined.text, escape));
      index = bodies.next;
      const last = { line: index, column: Math.max(1, lines[index - 1]!.text.length) };
      const { heredocs, unterminated } = bodies;
      yield { text: joined.text, pieces: joined.pieces, blank: joined.blank, last, comments, heredocs, unterminated };
      comments = [];
    }
  }
}

/** Range of the characters `start` to `end`, exclusive, of a logical line. */
export function rangeIn(line: LogicalLine, start: number, end: number, file: string): SourceRange {
  return { file, start: positionOf(line, start), end: positionOf(line, Math.max(start, end - 1)) };
}

/** Position of the character at `offset` of a logical line. */
export function positionOf(line: LogicalLine, offset: number): SourcePosition {
  const piece = pieceAt(line.pieces, offset);
  return { line: piece.line, column: piece.column + offset - piece.offset };
}

/** The last piece that starts at or before `offset`: by halves, since each word of a line of thousands asks. */
function pieceAt(pieces: readonly Piece[], offset: number): Piece {
  let low = 0;
  for (let high = pieces.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.offset <= offset) low = middle;
    else high = middle;
  }
  return pieces[low]!;
}

interface Joined {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly blank: boolean;
  readonly next: number;
}

function joinContinuations(lines: readonly PhysicalLine[], first: number, start: number, escape: EscapeChar): Joined {
  const { text } = lines[first]!;
  if (continuationAt(text, escape) >= 0) return joinLines(lines, first, escape);
  return { text: text.slice(start), pieces: [{ offset: 0, line: first + 1, column: start + 1 }], blank: false, next: first + 1 };
}

function joinLines(lines: readonly PhysicalLine[], first: number, escape: EscapeChar): Joined {
  const parts: string[] = [];
  const pieces: Piece[] = [];
  let blank = false;
  let offset = 0;
  let index = first;
  for (let open = true; open && index < lines.length; index++) {
    const line = lines[index]!.text;
    const start = skipSpaces(line, 0);
    if (index > first && line[start] === "#") continue;
    if (start === line.length) {
      blank = true;
      continue;
    }
    const from = index === first ? start : 0;
    const end = continuationAt(line, escape);
    open = end >= 0;
    const part = line.slice(from, open ? end : undefined);
    pieces.push({ offset, line: index + 1, column: from + 1 });
    parts.push(part);
    offset += part.length;
  }
  return { text: parts.join(""), pieces, blank, next: index };
}

/**
 * Offset of the escape character that continues the line, or -1. Blanks may follow it; another escape character right
 * before it makes it an ordinary one.
 */
function continuationAt(line: string, escape: EscapeChar): number {
  let at = line.length - 1;
  while (line[at] === " " || line[at] === "\t") at--;
  return line[at] === escape && line[at - 1] !== escape ? at : -1;
}

interface Bodies {
  readonly heredocs: readonly HeredocText[];
  readonly unterminated: HeredocMarker | null;
  readonly next: number;
}

function readHeredocs(text: string, lines: readonly PhysicalLine[], first: number, markers: readonly HeredocMarker[]): Bodies {
  const heredocs: HeredocText[] = [];
  let next = first;
  for (const marker of markers) {
    const start = next;
    while (next < lines.length && !isTerminator(lines[next]!.text, marker)) next++;
    if (next === lines.length) return { heredocs, unterminated: marker, next };
    heredocs.push({ ...marker, body: text.slice(lines[start]!.start, lines[next]!.start) });
    next++;
  }
  return { heredocs, unterminated: null, next };
}

function isTerminator(line: string, marker: HeredocMarker): boolean {
  return (marker.chomp ? line.replace(/^\t+/, "") : line) === marker.name;
}
