import { type SourceRange, TbuildError } from "../../cache/errors.js";
import type { Instruction } from "./instruction.js";

/** More than anybody writes; what a file can cost in time and memory stays within bounds by it. */
const MOST_INSTRUCTIONS = 10_000;

/**
 * Refuses a file that is too long to be meant, before time is spent on it. @throws {TbuildError} resource_exhausted, at the
 * first instruction that is too many
 */
export function checkLength(instructions: readonly Instruction[]): void {
  const first = instructions[MOST_INSTRUCTIONS];
  if (first !== undefined) throw tooMany("the file has", first.at);
}

/** The same for what a target's stages come to with the triggers of their bases. @throws {TbuildError} resource_exhausted */
export function checkTotal(stages: readonly { readonly instructions: number; readonly at: SourceRange }[]): void {
  let total = 0;
  for (const { instructions, at } of stages) {
    total += instructions;
    if (total > MOST_INSTRUCTIONS) throw tooMany("its stages come to", at);
  }
}

function tooMany(what: string, at: SourceRange): TbuildError {
  return new TbuildError("resource_exhausted", `Cannot build: ${what} more than ${MOST_INSTRUCTIONS.toLocaleString("en")} instructions`, { at });
}
