import type { Instruction, OnbuildInstruction, Own } from "../../instruction.js";
import { parseFailed } from "../../parseErrors.js";
import { refuseFlags } from "./flags.js";
import { keywordRange, needArgument, type RawInstruction, rawInstruction } from "./raw.js";

const forbidden: ReadonlySet<string> = new Set(["ONBUILD", "FROM", "MAINTAINER"]);

/** @throws {TbuildError} parse_failed when `raw` may not be the trigger of an ONBUILD */
export function refuseForbiddenTrigger(raw: RawInstruction): void {
  if (!forbidden.has(raw.label)) return;
  throw parseFailed(`Cannot use ${raw.label} as trigger of ONBUILD`, keywordRange(raw));
}

/**
 * `ONBUILD INSTRUCTION`. The trigger is checked with `parse` here, long before a build that uses it; here-documents
 * become part of its text.
 */
export function parseOnbuild(raw: RawInstruction, parse: (trigger: RawInstruction) => Instruction): Own<OnbuildInstruction> {
  refuseFlags(raw);
  needArgument(raw);
  const trigger = rawInstruction(raw.line, raw.argsStart, raw.escape, raw.place);
  refuseForbiddenTrigger(trigger);
  parse(trigger);
  const bodies = raw.line.heredocs.map(({ name, body }) => `\n${body}${name}`);
  return { name: "onbuild", trigger: trigger.base.original + bodies.join("") };
}
