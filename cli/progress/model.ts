import type { Digest } from "../../cache/oci/digest.js";
import type { Progress, StatusUpdate, Warning } from "../../solver/progress.js";
import { type LineBuffer, lineBuffer } from "./lines.js";

/** What is known of one step while a build runs. Times are milliseconds since the epoch. */
export interface StepView {
  readonly vertex: Digest;
  readonly name: string;
  started: number | null;
  completed: number | null;
  cached: boolean;
  error: string | null;
  /** By id, in order of appearance. */
  readonly statuses: Map<string, StatusUpdate>;
  /** Last complete lines of output, oldest first. */
  readonly tail: string[];
  /** Output that is no complete line yet, by stream. */
  readonly streams: { readonly 1: LineBuffer; readonly 2: LineBuffer };
}

/** Everything a renderer needs, kept up to date by {@link applyProgress}. */
export interface BuildView {
  readonly startedAt: number;
  readonly steps: Map<Digest, StepView>;
  readonly warnings: Warning[];
}

/** What one event changed: a step, and the lines of output that it completed. */
export interface Applied {
  readonly step: StepView;
  readonly lines: readonly string[];
}

/** Message of a step that was stopped because another one failed, or by the user. BuildKit's words. */
export const CANCELLED = "context canceled";

/** Lines of output kept per step. */
const TAIL_LINES = 10;

/** A view before the first event. */
export function buildView(startedAt: number): BuildView {
  return { startedAt, steps: new Map(), warnings: [] };
}

/** Folds one event into the view. Null for what is about no step. */
export function applyProgress(view: BuildView, event: Progress): Applied | null {
  if (event.type === "warning") {
    view.warnings.push(event.warning);
    return null;
  }
  if (event.type === "vertex") addStep(view, event.vertex, event.name);
  const step = view.steps.get(event.vertex);
  if (step === undefined) return null;
  const lines = updateStep(step, event);
  step.tail.push(...lines);
  step.tail.splice(0, step.tail.length - TAIL_LINES);
  return { step, lines };
}

function addStep(view: BuildView, vertex: Digest, name: string): void {
  if (view.steps.has(vertex)) return;
  view.steps.set(vertex, {
    vertex,
    name,
    started: null,
    completed: null,
    cached: false,
    error: null,
    statuses: new Map(),
    tail: [],
    streams: { 1: lineBuffer(), 2: lineBuffer() },
  });
}

function updateStep(step: StepView, event: Exclude<Progress, { type: "warning" }>): readonly string[] {
  switch (event.type) {
    case "vertex":
      return [];
    case "started":
      step.started = event.at;
      return [];
    case "completed":
      step.started ??= event.at;
      step.completed = event.at;
      step.cached = event.cached;
      step.error = event.error;
      return [...step.streams[1].end(), ...step.streams[2].end()];
    case "status":
      step.statuses.set(event.status.id, event.status);
      return [];
    case "log":
      return step.streams[event.stream].push(event.bytes);
  }
}

/** The last `count` lines of output, unfinished ones included. */
export function lastLines(step: StepView, count: number): readonly string[] {
  const unfinished = [step.streams[1].rest(), step.streams[2].rest()].filter((rest) => rest !== "");
  return count === 0 ? [] : [...step.tail, ...unfinished].slice(-count);
}

/** Seconds that a step took, or has taken until `now`. */
export function stepSeconds(step: StepView, now: number): number {
  if (step.started === null) return 0;
  return Math.max(0, (step.completed ?? now) - step.started) / 1000;
}

/** A warning on one line: rule, message, place. */
export function warningLine({ rule, message, at }: Warning): string {
  const place = at === null ? "" : ` (${at.file}:${at.start.line})`;
  return `${rule === null ? "" : `${rule}: `}${message}${place}`;
}
