import type { Progress } from "../../solver/progress.js";
import { formatAmount, formatSeconds, printable } from "./format.js";
import { applyProgress, buildView, stepSeconds, type BuildView, type StepView } from "./model.js";
import type { Write } from "./plain.js";

/** The terminal that the view is drawn on. */
export interface Screen {
  readonly write: Write;
  columns(): number;
  rows(): number;
  /** False under NO_COLOR. */
  readonly colours: boolean;
}

const FRAME_MS = 100;
const LOG_LINES = 6;

/** A live table of steps: running ones with elapsed time, the tail of their output and bytes moved; redrawn ten times a second. */
export async function renderTty(events: AsyncIterable<Progress>, screen: Screen, title: string): Promise<void> {
  const view = buildView(Date.now());
  let drawn = 0;
  const draw = (final: boolean) => {
    const lines = frame(view, { now: Date.now(), columns: screen.columns(), rows: final ? Infinity : screen.rows(), title, colours: screen.colours, final });
    screen.write(`${drawn > 0 ? `\u001b[${drawn}A` : ""}${lines.map((line) => `\u001b[2K${line}\n`).join("")}\u001b[J`);
    drawn = lines.length;
  };
  const timer = setInterval(() => draw(false), FRAME_MS);
  screen.write("\u001b[?25l");
  try {
    for await (const event of events) applyProgress(view, event);
    draw(true);
  } finally {
    clearInterval(timer);
    screen.write("\u001b[?25h");
  }
}

/** Options of {@link frame}. */
export interface FrameOptions {
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
  readonly colours: boolean;
  /** The last frame shows no log tails but those of failed steps. */
  readonly final: boolean;
}

/** The lines of one picture: pure, so that tests can show it. Never longer than the screen: the oldest done steps go first. */
export function frame(view: BuildView, options: FrameOptions): readonly string[] {
  const steps = [...view.steps.values()].filter((step) => step.started !== null).sort((a, b) => a.started! - b.started!);
  const done = steps.filter((step) => step.completed !== null).length;
  const elapsed = formatSeconds((options.now - view.startedAt) / 1000);
  const state = options.final ? "FINISHED" : "";
  const header = paint(options, "bold", `[+] ${options.title} ${elapsed} (${done}/${view.steps.size}) ${state}`.trimEnd());
  const blocks = steps.map((step) => stepLines(step, options));
  return [header, ...fit(blocks, steps, options.rows - 2)];
}

/** Drops finished blocks from the top until the rest fits; then cuts. */
function fit(blocks: readonly (readonly string[])[], steps: readonly StepView[], rows: number): readonly string[] {
  let total = blocks.reduce((sum, block) => sum + block.length, 0);
  const kept = blocks.filter((block, index) => {
    if (total <= rows || steps[index]!.completed === null) return true;
    total -= block.length;
    return false;
  });
  return kept.flat().slice(0, Math.max(1, rows));
}

function stepLines(step: StepView, options: FrameOptions): readonly string[] {
  const time = formatSeconds(stepSeconds(step, options.now));
  const prefix = step.error !== null ? (step.error === "context canceled" ? "CANCELED " : "ERROR ") : step.cached ? "CACHED " : "";
  const colour = step.error !== null ? "red" : step.completed !== null ? "blue" : "none";
  const lines = [paint(options, colour, row(` => ${prefix}${printable(step.name)}`, time, options.columns))];
  for (const status of step.statuses.values()) {
    if (step.completed !== null && !options.final) continue;
    const took = formatSeconds(((status.completedAt ?? options.now) - status.startedAt) / 1000);
    const amount = status.current > 0 ? ` ${formatAmount(status.current, status.total)}` : "";
    const text = row(` => => ${printable(status.id)}${amount}${bar(status.current, status.total)}`, took, options.columns);
    if (!options.final) lines.push(paint(options, status.completedAt === null ? "none" : "blue", text));
  }
  if (step.completed === null || step.error !== null) lines.push(...tailLines(step, options));
  return lines;
}

function tailLines(step: StepView, options: FrameOptions): readonly string[] {
  const all = step.partialLine === "" ? step.tail : [...step.tail, step.partialLine];
  return all.slice(-LOG_LINES).map((line) => paint(options, "dim", cut(` => => # ${printable(line)}`, options.columns)));
}

function bar(current: number, total: number): string {
  if (total <= 0 || current >= total) return "";
  const width = 20;
  const filled = Math.floor((current / total) * width);
  return ` [${"=".repeat(filled)}${filled < width ? ">" : ""}${" ".repeat(Math.max(0, width - filled - 1))}]`;
}

function row(left: string, right: string, columns: number): string {
  const room = Math.max(10, columns - right.length - 2);
  return `${cut(left, room).padEnd(room)} ${right}`;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(1, columns - 1))}…`;
}

const CODES = { bold: "1", red: "31", blue: "34", dim: "2", none: "" } as const;

function paint(options: { readonly colours: boolean }, style: keyof typeof CODES, text: string): string {
  return options.colours && style !== "none" ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}
