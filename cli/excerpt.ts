import type { SourceRange } from "../cache/errors.js";
import type { Paint } from "./paint.js";
import { printable } from "./progress/format.js";
import { cutToWidth, displayWidth } from "./progress/width.js";

/** How an excerpt is shown. */
export interface ExcerptOptions {
  /** Longer lines are cut, around the place that matters. */
  readonly columns: number;
  readonly paint: Paint;
}

const CONTEXT_LINES = 2;
/** Of a longer range, a here-document say, the beginning is shown. */
const MAX_MARKED = 8;
const TAB = "    ";

/**
 * The lines of a range between their neighbours, the range's marked with `>>>`, and with `^` what it is in a line. An error
 * at the end of the text is shown at its last line. Logins in URLs are shown as asterisks: an excerpt may end up in a public log.
 */
export function excerpt(text: string, at: SourceRange, { columns, paint }: ExcerptOptions): string {
  const lines = withoutLogins(text).split(/\r?\n/);
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  const start = Math.min(at.start.line, lines.length);
  const end = Math.min(at.end.line, lines.length, start + MAX_MARKED - 1);
  const cut = Math.min(at.end.line, lines.length) - end;
  const first = Math.max(1, start - CONTEXT_LINES);
  const last = cut > 0 ? end : Math.min(lines.length, end + CONTEXT_LINES);
  const width = String(last).length + 2;
  const room = Math.max(MIN_ROOM, columns - width - BETWEEN);
  const shown: string[] = [];
  for (let line = first; line <= last; line++) {
    const marked = line >= start && line <= end;
    const { body, caret } = window(lines[line - 1]!, line === at.start.line ? at : null, room);
    const mark = marked ? paint.bad(">>>") : "   ";
    shown.push(`${String(line).padStart(width)} | ${mark} ${body}`.trimEnd());
    if (caret !== null) shown.push(`${" ".repeat(width)} |     ${caret.before}${paint.bad(caret.carets)}`);
  }
  if (cut > 0) shown.push(`${" ".repeat(width)} | >>> … and ${cut} more ${cut === 1 ? "line" : "lines"}`);
  return shown.join("\n");
}

function withoutLogins(text: string): string {
  return text.replaceAll(/\b(https?:\/\/)([^\s/?#@"']+)(?=@)/gi, (_, scheme: string, login: string) => scheme + "*".repeat(login.length));
}

/** Columns of " | >>> ". */
const BETWEEN = 7;
const MIN_ROOM = 30;

interface Window {
  readonly body: string;
  readonly caret: { readonly before: string; readonly carets: string } | null;
}

/** A line as wide as there is room, and what of it the range is, when that says more than the line alone. */
function window(line: string, at: SourceRange | null, room: number): Window {
  const from = at === null ? 0 : at.start.column - 1;
  const to = at === null || at.end.line !== at.start.line ? from + 1 : Math.max(from + 1, at.end.column);
  if (line.slice(0, from).trim() === "" || from > line.length) return { body: cutToWidth(plain(line), room), caret: null };
  const parts = [line.slice(0, from), line.slice(from, to), line.slice(to)].map(plain) as [string, string, string];
  const [before, middle, after] = fit(parts, room);
  const carets = "^".repeat(Math.max(1, displayWidth(middle)));
  return { body: before + middle + after, caret: { before: " ".repeat(displayWidth(before)), carets } };
}

/** Unlike a log line, a line of a file keeps what stands before a lone carriage return. */
function plain(text: string): string {
  return printable(text.replaceAll("\t", TAB).replaceAll("\r", " "));
}

/** Cuts at the end first, then at the beginning, so that the middle stays in sight. */
function fit([before, middle, after]: readonly [string, string, string], room: number): readonly [string, string, string] {
  const needed = displayWidth(before) + displayWidth(middle) + displayWidth(after);
  if (needed <= room) return [before, middle, after];
  const shortMiddle = cutToWidth(middle, Math.ceil(room / 2));
  const left = room - displayWidth(shortMiddle);
  const start = displayWidth(before) + Math.min(displayWidth(after), Math.floor(left / 4)) <= left ? before : cutStart(before, Math.floor(left / 2));
  const rest = left - displayWidth(start);
  return [start, shortMiddle, rest > 0 ? cutToWidth(after, rest) : ""];
}

function cutStart(text: string, columns: number): string {
  const backwards = (one: string) => Array.from(one).reverse().join("");
  return backwards(cutToWidth(backwards(text), columns));
}
