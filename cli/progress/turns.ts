import { printable } from "./format.js";
import type { StepView } from "./model.js";

/** Lets parallel steps speak one after the other. Time is told, so that tests need no clock: milliseconds. */
export interface Turns {
  /** Lines of a step, without its number; none announces it. */
  say(step: StepView, lines: readonly string[], now: number): void;
  /** Passes the word on where it is due. */
  readonly advance: (now: number) => void;
  /** Ends the block of the step that has the word, for text that is no step's. Returns what divides it from what follows. */
  leave(): string;
}

/** A step that has been quiet for so long gives way. */
const QUIET_MS = 1000;
/** After so long a step gives way to those that wait. */
const TURN_MS = 5000;

/**
 * If every line of parallel steps changed the block, nobody could read them: as in BuildKit the step that has the word keeps
 * it for a while, and what others have to say waits.
 */
export function createTurns(write: (text: string) => void): Turns {
  const numbers = new Map<StepView, number>();
  const waiting = new Map<StepView, string[]>();
  let current: StepView | null = null;
  let since = 0;
  let spoke = 0;

  function advance(now: number): void {
    while (waiting.size > 0) {
      if (current !== null && waiting.has(current)) speak(current, now);
      else if (isFree(now)) open(waiting.keys().next().value!, now);
      else return;
    }
  }
  function isFree(now: number): boolean {
    return current === null || current.completed !== null || now - spoke >= QUIET_MS || now - since >= TURN_MS;
  }
  function speak(step: StepView, now: number): void {
    for (const line of waiting.get(step) ?? []) write(`#${numberOf(step)} ${line}\n`);
    waiting.delete(step);
    spoke = now;
  }
  function open(step: StepView, now: number): void {
    write(`${leave()}#${numberOf(step)} ${printable(step.name)}\n`);
    current = step;
    since = now;
  }
  function leave(): string {
    if (current !== null && current.completed === null) write(`#${numberOf(current)} ...\n`);
    current = null;
    return numbers.size > 0 ? "\n" : "";
  }
  function numberOf(step: StepView): number {
    const number = numbers.get(step) ?? numbers.size + 1;
    numbers.set(step, number);
    return number;
  }
  return {
    say(step, lines, now) {
      waiting.set(step, [...(waiting.get(step) ?? []), ...lines]);
      advance(now);
    },
    advance,
    leave,
  };
}
