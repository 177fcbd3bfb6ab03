import type { Digest } from "../../cache/oci/digest.js";
import type { Progress, StatusUpdate, Warning } from "../../solver/progress.js";

/** What is known of one step while a build runs. Times are milliseconds since the epoch. */
export interface StepView {
  /** `#1`, in the order in which steps first showed. 0: not shown yet. */
  number: number;
  readonly vertex: Digest;
  readonly name: string;
  started: number | null;
  completed: number | null;
  cached: boolean;
  error: string | null;
  /** By id, in order of appearance. */
  readonly statuses: Map<string, StatusUpdate>;
  /** Last lines of output, oldest first. */
  readonly tail: string[];
  partialLine: string;
}

/** Everything a renderer needs, kept up to date by {@link applyProgress}. */
export interface BuildView {
  readonly startedAt: number;
  readonly steps: Map<Digest, StepView>;
  readonly warnings: Warning[];
}

/** Lines of output kept per step. */
const TAIL_LINES = 10;

/** A view before the first event. */
export function buildView(startedAt: number): BuildView {
  return { startedAt, steps: new Map(), warnings: [] };
}

/** Folds one event into the view. Returns the step it is about, if any. */
export function applyProgress(view: BuildView, event: Progress): StepView | null {
  if (event.type === "warning") {
    view.warnings.push(event.warning);
    return null;
  }
  if (event.type === "vertex") addStep(view, event.vertex, event.name);
  const step = view.steps.get(event.vertex);
  if (step === undefined) return null;
  updateStep(step, event);
  return step;
}

function addStep(view: BuildView, vertex: Digest, name: string): void {
  if (view.steps.has(vertex)) return;
  view.steps.set(vertex, {
    number: 0,
    vertex,
    name,
    started: null,
    completed: null,
    cached: false,
    error: null,
    statuses: new Map(),
    tail: [],
    partialLine: "",
  });
}

function updateStep(step: StepView, event: Exclude<Progress, { type: "warning" }>): void {
  switch (event.type) {
    case "vertex":
      return;
    case "started":
      step.started = event.at;
      return;
    case "completed":
      step.started ??= event.at;
      step.completed = event.at;
      step.cached = event.cached;
      step.error = event.error;
      return;
    case "status":
      step.statuses.set(event.status.id, event.status);
      return;
    case "log":
      addOutput(step, event.bytes);
      return;
  }
}

function addOutput(step: StepView, bytes: Uint8Array): void {
  const lines = (step.partialLine + Buffer.from(bytes).toString("utf8")).split("\n");
  step.partialLine = lines.pop() ?? "";
  step.tail.push(...lines);
  step.tail.splice(0, step.tail.length - TAIL_LINES);
}

/** Seconds that a step took, or has taken until `now`. */
export function stepSeconds(step: StepView, now: number): number {
  if (step.started === null) return 0;
  return Math.max(0, (step.completed ?? now) - step.started) / 1000;
}
