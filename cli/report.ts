import { isTbuildError, type SourceRange, type TbuildError } from "../cache/errors.js";

/** Texts that ranges point into, by the file name that ranges carry. */
export type Sources = ReadonlyMap<string, string>;

const CONTEXT_LINES = 2;

/**
 * An error as people read it: the place, the message, the lines with `>>>`, the end of a failed step's output, the hint.
 * Further mistakes of the same file follow in the same form. What is not a user's error keeps its stack.
 */
export function reportError(error: unknown, sources: Sources): string {
  if (!isTbuildError(error)) return `ERROR: internal error, please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  return [error, ...error.others].map((one) => reportOne(one, sources)).join("\n");
}

function reportOne(error: TbuildError, sources: Sources): string {
  const place = error.at === undefined ? "" : `${error.at.file}:${error.at.start.line}:${error.at.start.column}: `;
  const parts = [`ERROR: ${place}${error.message}`];
  if (error.process !== undefined && error.process.logTail.length > 0) parts.push(logTail(error.process.logTail));
  const text = error.at === undefined ? undefined : sources.get(error.at.file);
  if (error.at !== undefined && text !== undefined) parts.push(excerpt(text, error.at));
  if (error.hint !== undefined) parts.push(`hint: ${error.hint}`);
  return `${parts.join("\n")}\n`;
}

function logTail(lines: readonly string[]): string {
  return ["------", ...lines.map((line) => ` ${line}`), "------"].join("\n");
}

/** The lines of a range between their neighbours. */
export function excerpt(text: string, at: SourceRange): string {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const first = Math.max(1, at.start.line - CONTEXT_LINES);
  const last = Math.min(lines.length, at.end.line + CONTEXT_LINES);
  const width = String(last).length + 2;
  const shown: string[] = [];
  for (let line = first; line <= last; line++) {
    const mark = line >= at.start.line && line <= at.end.line ? ">>>" : "   ";
    shown.push(`${String(line).padStart(width)} | ${mark} ${lines[line - 1]}`.trimEnd());
  }
  return shown.join("\n");
}
