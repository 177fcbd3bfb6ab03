import type { Progress, StatusUpdate } from "../../solver/progress.js";
import { formatAmount, formatSeconds, printable } from "./format.js";
import { type Applied, applyProgress, buildView, CANCELLED, stepSeconds, type StepView, warningLine } from "./model.js";
import { createTurns } from "./turns.js";
import { warningSummary } from "./warnings.js";

/** Writes text to where progress goes. */
export type Write = (text: string) => void;

/** BuildKit's numbered form: `#3 [2/4] RUN make`, `#3 0.512 output`, `#3 DONE 1.2s`, blocks divided by blank lines. */
export async function renderPlain(events: AsyncIterable<Progress>, write: Write): Promise<void> {
  const printer = plainPrinter(write);
  const timer = setInterval(() => printer.tick(Date.now()), TICK_MS);
  try {
    for await (const event of events) printer.print(event, Date.now());
    printer.end();
  } finally {
    clearInterval(timer);
  }
}

/** Turns events into text; time is told, so that tests need no clock. Milliseconds since the epoch. */
export interface PlainPrinter {
  readonly print: (event: Progress, now: number) => void;
  /** Lets another step have its turn when the current one has been quiet, or has had the word for long. */
  readonly tick: (now: number) => void;
  /** Writes what still waits, and the warnings again. */
  readonly end: () => void;
}

const TICK_MS = 500;

/** See {@link PlainPrinter}. */
export function plainPrinter(write: Write): PlainPrinter {
  const view = buildView(0);
  const turns = createTurns(write);
  const statuses = statusLines();

  function linesOf(event: Progress, { step, lines }: Applied, now: number): readonly string[] | null {
    const seconds = Math.max(0, ("at" in event ? event.at : now) - (step.started ?? now)) / 1000;
    const output = lines.map((line) => `${seconds.toFixed(3)} ${line}`);
    if (event.type === "status") return nullIfEmpty(statuses(step, event.status));
    if (event.type === "completed") return [...output, outcome(step)];
    return event.type === "started" ? [] : nullIfEmpty(output);
  }
  return {
    print(event, now) {
      const applied = applyProgress(view, event);
      if (event.type === "warning") write(`${turns.leave()}WARNING: ${printable(warningLine(event.warning))}\n`);
      const lines = applied === null ? null : linesOf(event, applied, now);
      if (applied !== null && lines !== null) turns.say(applied.step, lines, now);
    },
    tick: turns.advance,
    end: () => {
      turns.advance(Infinity);
      write(warningSummary(view.warnings));
    },
  };
}

function nullIfEmpty(lines: readonly string[]): readonly string[] | null {
  return lines.length === 0 ? null : lines;
}

function outcome(step: StepView): string {
  if (step.error === CANCELLED) return "CANCELED";
  if (step.error !== null) return `ERROR: ${step.error}`;
  return step.cached ? "CACHED" : `DONE ${formatSeconds(stepSeconds(step, 0))}`;
}

/** Tells only beginnings and ends of sub-progress: a log has no use for every percent. */
function statusLines(): (step: StepView, status: StatusUpdate) => readonly string[] {
  const told = new Map<StepView, Map<string, "running" | "done">>();
  return (step, { id, current, total, startedAt, completedAt }) => {
    const phases = told.get(step) ?? new Map<string, "running" | "done">();
    told.set(step, phases);
    const phase = completedAt === null ? "running" : "done";
    if (phases.get(id) === phase || (phase === "running" && current === 0)) return [];
    phases.set(id, phase);
    const took = completedAt === null ? "" : ` ${formatSeconds((completedAt - startedAt) / 1000)} done`;
    return [`${printable(id)}${current > 0 ? ` ${formatAmount(current, total)}` : ""}${took}`];
  };
}
