import type { Progress, StatusUpdate, Warning } from "../../solver/progress.js";
import { applyProgress, buildView, stepSeconds, type BuildView, type StepView } from "./model.js";
import { formatAmount, formatSeconds } from "./format.js";

/** Writes text to where progress goes. */
export type Write = (text: string) => void;

/** BuildKit's numbered form: `#3 [2/4] RUN make`, `#3 0.512 output`, `#3 DONE 1.2s`, blocks divided by blank lines. */
export async function renderPlain(events: AsyncIterable<Progress>, write: Write): Promise<void> {
  const view = buildView(Date.now());
  const printer = new PlainPrinter(view, write);
  for await (const event of events) printer.print(event);
}

/** Keeps which block is open, since the lines of parallel steps take turns. */
class PlainPrinter {
  #current: StepView | null = null;
  #count = 0;
  /** Percentages or ends already told, by step number and status id. */
  readonly #told = new Map<string, string>();

  constructor(
    private readonly view: BuildView,
    private readonly write: Write,
  ) {}

  print(event: Progress): void {
    const step = applyProgress(this.view, event);
    if (event.type === "warning") return this.#warning(event.warning);
    if (step === null) return;
    if (event.type === "started") this.#open(step);
    if (event.type === "log") this.#log(step, event.at, event.bytes);
    if (event.type === "status") this.#status(step, event.status);
    if (event.type === "completed") this.#completed(step);
  }

  #open(step: StepView): void {
    if (this.#current === step) return;
    if (this.#current !== null && this.#current.completed === null) this.write(`#${this.#current.number} ...\n`);
    if (this.#count > 0) this.write("\n");
    if (step.number === 0) step.number = ++this.#count;
    this.write(`#${step.number} ${step.name}\n`);
    this.#current = step;
  }

  #log(step: StepView, at: number, bytes: Uint8Array): void {
    const seconds = Math.max(0, at - (step.started ?? at)) / 1000;
    const text = Buffer.from(bytes).toString("utf8").replace(/\r?\n$/, "");
    this.#open(step);
    for (const line of text.split("\n")) this.write(`#${step.number} ${seconds.toFixed(3)} ${line}\n`);
  }

  /** Only beginnings and ends: a log has no use for every percent. */
  #status(step: StepView, status: StatusUpdate): void {
    const key = `${step.number} ${status.id}`;
    const phase = status.completedAt === null ? "running" : "done";
    if (this.#told.get(key) === phase || (phase === "running" && status.current === 0)) return;
    this.#told.set(key, phase);
    this.#open(step);
    const took = status.completedAt === null ? "" : ` ${formatSeconds((status.completedAt - status.startedAt) / 1000)} done`;
    const amount = status.current > 0 ? ` ${formatAmount(status.current, status.total)}` : "";
    this.write(`#${step.number} ${status.id}${amount}${took}\n`);
  }

  #completed(step: StepView): void {
    this.#open(step);
    if (step.error !== null) this.write(`#${step.number} ${step.error === "context canceled" ? "CANCELED" : `ERROR: ${step.error}`}\n`);
    else if (step.cached) this.write(`#${step.number} CACHED\n`);
    else this.write(`#${step.number} DONE ${formatSeconds(stepSeconds(step, Date.now()))}\n`);
  }

  #warning(warning: Warning): void {
    const place = warning.at === null ? "" : ` (${warning.at.file}:${warning.at.start.line})`;
    this.write(`\nWARNING: ${warning.rule === null ? "" : `${warning.rule}: `}${warning.message}${place}\n`);
    this.#current = null;
  }
}
