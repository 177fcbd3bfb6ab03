import { stripVTControlCharacters } from "node:util";
import { formatAmount, formatSeconds, printable } from "./format.js";
import { type BuildView, CANCELLED, lastLines, stepSeconds, type StepView } from "./model.js";
import { cutToWidth, displayWidth, padToWidth } from "./width.js";

/** Options of {@link frame}. */
export interface FrameOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly columns: number;
  /** Infinity shows everything. */
  readonly rows: number;
  readonly colours: boolean;
  /** The last picture shows every step, but no output: the report of a failure has it. */
  readonly phase: "running" | "cancelling" | "final";
}

/** Lines of output under a running step, when there is room. */
const TAILS = [6, 3, 1, 0];

/**
 * The lines of one picture. Pure, so that tests can show it. Never higher than the screen: finished steps at the top go
 * first, then output.
 */
export function frame(view: BuildView, options: FrameOptions): readonly string[] {
  const steps = [...view.steps.values()].filter((step) => step.started !== null).sort((a, b) => a.started! - b.started!);
  const rows = Math.max(1, options.rows - 2);
  return [header(view, steps, options), ...fit(steps, rows, options)];
}

function header(view: BuildView, steps: readonly StepView[], options: FrameOptions): string {
  const done = steps.filter((step) => step.completed !== null).length;
  const elapsed = formatSeconds((options.now - view.startedAt) / 1000);
  const text = `[+] Building ${elapsed} (${done}/${view.steps.size}) ${stateOf(steps, options.phase)}`.trimEnd();
  return paint(options, "bold", cutToWidth(text, options.columns - 1));
}

function stateOf(steps: readonly StepView[], phase: FrameOptions["phase"]): string {
  if (phase === "running") return "";
  if (phase === "cancelling") return "cancelling, press Ctrl-C again to leave at once";
  if (steps.some(({ error }) => error !== null && error !== CANCELLED)) return "FAILED";
  return steps.some(({ error }) => error !== null) ? "CANCELLED" : "FINISHED";
}

function fit(steps: readonly StepView[], rows: number, options: FrameOptions): readonly string[] {
  for (const tail of TAILS) {
    const blocks = steps.map((step) => ({ step, lines: stepLines(step, tail, options) }));
    let total = blocks.reduce((sum, { lines }) => sum + lines.length, 0);
    const kept = blocks.filter(({ step, lines }) => {
      if (total <= rows || step.completed === null) return true;
      total -= lines.length;
      return false;
    });
    if (total <= rows || tail === 0) return kept.flatMap(({ lines }) => lines).slice(0, rows);
  }
  return [];
}

function stepLines(step: StepView, tail: number, options: FrameOptions): readonly string[] {
  const time = formatSeconds(stepSeconds(step, options.now));
  const title = paint(options, colourOf(step), row(` => ${outcome(step)}${printable(step.name)}`, time, options.columns));
  if (step.completed !== null || options.phase === "final") return [title];
  const output = lastLines(step, tail).map((line) => cutToWidth(` => => # ${printable(line)}`, options.columns - 1));
  return [title, ...statusRows(step, options), ...output.map((line) => paint(options, "dim", line))];
}

function outcome({ error, cached }: StepView): string {
  if (error === CANCELLED) return "CANCELED ";
  if (error !== null) return "ERROR ";
  return cached ? "CACHED " : "";
}

function colourOf({ error, completed }: StepView): Style {
  if (error === CANCELLED) return "yellow";
  if (error !== null) return "red";
  return completed === null ? "none" : "blue";
}

function statusRows(step: StepView, options: FrameOptions): readonly string[] {
  return [...step.statuses.values()].map(({ id, current, total, startedAt, completedAt }) => {
    const took = formatSeconds(((completedAt ?? options.now) - startedAt) / 1000);
    const amount = current > 0 ? ` ${formatAmount(current, total)}` : "";
    const text = row(` => => ${printable(id)}${amount}${bar(current, total)}`, took, options.columns);
    return paint(options, completedAt === null ? "none" : "blue", text);
  });
}

const BAR = 20;

function bar(current: number, total: number): string {
  if (total <= 0 || current >= total) return "";
  const filled = Math.floor((current / total) * BAR);
  return ` [${`${"=".repeat(filled)}>`.padEnd(BAR)}]`;
}

/** Text at the left, time at the right; the last column stays free, since some terminals wrap there. */
function row(left: string, right: string, columns: number): string {
  const room = Math.max(10, columns - right.length - 2);
  return `${padToWidth(cutToWidth(left, room), room)} ${right}`;
}

type Style = keyof typeof CODES;
const CODES = { bold: "1", red: "31", yellow: "33", blue: "34", dim: "2", none: "" } as const;

function paint(options: { readonly colours: boolean }, style: Style, text: string): string {
  return options.colours && style !== "none" ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

/**
 * What draws `lines` over the picture `drawn`. Rows are counted anew at the present width, since a terminal that became
 * narrower has wrapped the old lines; each line is overwritten before its rest is cleared, so that nothing flickers.
 */
export function redraw(drawn: readonly string[], lines: readonly string[], columns: number): string {
  const widths = drawn.map((line) => displayWidth(stripVTControlCharacters(line)));
  const rows = widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
  const up = rows > 0 ? `\u001b[${rows}A` : "";
  return `\r${up}${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`;
}
