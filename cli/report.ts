import { readFileSync } from "node:fs";
import path from "node:path";
import { isTbuildError, type TbuildError } from "../cache/errors.js";
import { excerpt } from "./excerpt.js";
import { createPaint, type Paint } from "./paint.js";
import { printable } from "./progress/format.js";

/** Options of {@link reportError}. */
export interface ReportOptions {
  /** Directory that the files of ranges are relative to, when they are not there as written. */
  readonly root: string;
  /** "shown" when the end of a failed step's output has been seen already. */
  readonly output: "show" | "shown";
  readonly colours: boolean;
  /** Texts of files as they were, by their name; default: they are read now. */
  readonly texts?: ReadonlyMap<string, string>;
  /** Width of the terminal; excerpts fit into it. */
  readonly columns: number;
}

/** Of a long list of mistakes the first are enough to start with. */
const MAX_SHOWN = 20;

/**
 * An error as people read it: the place, the message, the end of a failed step's output, the lines with `>>>`, the hint.
 * Further mistakes of the same file follow in the same form, and how many there are. What is not a user's error keeps its stack.
 */
export function reportError(error: unknown, options: ReportOptions): string {
  if (!isTbuildError(error)) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `ERROR: internal error, please report it\n${what}\n`;
  }
  const paint = createPaint(options.colours);
  const errors = distinct([error, ...error.others]);
  const shown = errors.slice(0, MAX_SHOWN).map((one) => reportOne(one, options, paint));
  if (errors.length > 1) shown.push(`${paint.bad(summary(errors))}\n`);
  return shown.join("\n");
}

/** The same mistake may be found by several steps. */
function distinct(errors: readonly TbuildError[]): readonly TbuildError[] {
  const known = new Map(errors.map((error) => [JSON.stringify([error.at, error.message, error.hint]), error]));
  return [...known.values()];
}

/** Last, as that is what is seen first on a terminal. */
function summary(errors: readonly TbuildError[]): string {
  const files = new Set(errors.map(({ at }) => at?.file));
  const [file] = files;
  const where = files.size === 1 && file !== undefined ? ` in ${file}` : "";
  const hidden = errors.length - MAX_SHOWN;
  return `${hidden > 0 ? `… and ${hidden} more: ` : ""}${errors.length} errors${where}`;
}

function reportOne({ at, message, hint, process: failure }: TbuildError, options: ReportOptions, paint: Paint): string {
  const { root, output, texts } = options;
  const place = at === undefined ? "" : `${at.file}:${at.start.line}:${at.start.column}: `;
  const tail = output === "show" ? (failure?.logTail ?? []) : [];
  const text = at === undefined ? null : (texts?.get(at.file) ?? sourceText(at.file, root));
  const parts = [
    `${paint.bad("ERROR:")} ${paint.strong(place)}${message}`,
    ...(tail.length === 0 ? [] : ["------", ...tail.map((line) => ` ${printable(line)}`), "------"]),
    ...(at === undefined || text === null ? [] : [excerpt(text, at, { columns: options.columns, paint })]),
    ...(hint === undefined ? [] : [`${paint.help("hint:")} ${hint}`]),
    ...(failure?.logFile === undefined ? [] : [`The whole log: ${failure.logFile}`]),
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
