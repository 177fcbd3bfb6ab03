import { readFileSync } from "node:fs";
import path from "node:path";
import { isTbuildError, type SourceRange, type TbuildError } from "../cache/errors.js";
import { printable } from "./progress/format.js";

/** Options of {@link reportError}. */
export interface ReportOptions {
  /** Directory that the files of ranges are relative to, when they are not there as written. */
  readonly root: string;
  /** "shown" when the end of a failed step's output has been seen already. */
  readonly output: "show" | "shown";
}

const CONTEXT_LINES = 2;

/**
 * An error as people read it: the place, the message, the end of a failed step's output, the lines with `>>>`, the hint.
 * Further mistakes of the same file follow in the same form. What is not a user's error keeps its stack.
 */
export function reportError(error: unknown, options: ReportOptions): string {
  if (!isTbuildError(error)) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `ERROR: internal error, please report it\n${what}\n`;
  }
  return [error, ...error.others].map((one) => reportOne(one, options)).join("\n");
}

function reportOne({ at, message, hint, process: failure }: TbuildError, { root, output }: ReportOptions): string {
  const place = at === undefined ? "" : `${at.file}:${at.start.line}:${at.start.column}: `;
  const tail = output === "show" ? (failure?.logTail ?? []) : [];
  const text = at === undefined ? null : sourceText(at.file, root);
  const parts = [
    `ERROR: ${place}${message}`,
    ...(tail.length === 0 ? [] : ["------", ...tail.map((line) => ` ${printable(line)}`), "------"]),
    ...(at === undefined || text === null ? [] : [excerpt(text, at)]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ];
  return `${parts.join("\n")}\n`;
}

/** Read only now: most commands do not fail. A file that has gone meanwhile has no excerpt. */
function sourceText(file: string, root: string): string | null {
  for (const candidate of [path.resolve(root, file), path.resolve(file)]) {
    try {
      return readFileSync(candidate, "utf8");
    } catch {
      continue;
    }
  }
  return null;
}

/** The lines of a range between their neighbours. An error at the end of the text is shown at its last line. */
export function excerpt(text: string, at: SourceRange): string {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const start = Math.min(at.start.line, lines.length);
  const first = Math.max(1, start - CONTEXT_LINES);
  const last = Math.min(lines.length, at.end.line + CONTEXT_LINES);
  const width = String(last).length + 2;
  const shown: string[] = [];
  for (let line = first; line <= last; line++) {
    const mark = line >= start && line <= at.end.line ? ">>>" : "   ";
    shown.push(`${String(line).padStart(width)} | ${mark} ${lines[line - 1]}`.trimEnd());
  }
  return shown.join("\n");
}
