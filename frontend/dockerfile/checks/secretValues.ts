import type { SourceRange } from "../../../cache/errors.js";
import type { FrontendOptions } from "../../options.js";
import type { Instruction, ParsedDockerfile, RunInstruction } from "../instruction.js";
import { type WarningSink, violation } from "../lint.js";

/** Warns when the value of a build secret is in `text`, which becomes part of the image; `where` says what it is the text of. */
export function lintSecret(
  text: string,
  where: string,
  at: SourceRange | null,
  { findSecret }: Pick<FrontendOptions, "findSecret">,
  warn: WarningSink,
): void {
  const id = findSecret(text);
  if (id !== null) warn(violation("SecretValueExposed", at, where, id));
}

/** Warns of secrets in what is given from outside, and in RUN, whose text the history keeps. */
export function lintGivenSecrets({ instructions }: ParsedDockerfile, options: FrontendOptions, warn: WarningSink): void {
  for (const [key, value] of options.buildArgs) {
    const declared = instructions.find((ins) => ins.name === "arg" && ins.args.some((arg) => arg.key === key));
    lintSecret(value, `Build argument "${key}"`, declared?.at ?? null, options, warn);
  }
  for (const [key, value] of options.labels) lintSecret(value, `Label "${key}"`, null, options, warn);
  for (const ins of instructions) lintWritten(ins, options, warn);
}

function lintWritten(ins: Instruction, options: FrontendOptions, warn: WarningSink): void {
  if (ins.name === "run") lintSecret(commandText(ins), "RUN", ins.at, options, warn);
  if (ins.name !== "arg") return;
  for (const { key, value } of ins.args) lintSecret(value ?? "", `ARG "${key}"`, ins.at, options, warn);
}

/** What a RUN runs, here-documents included. */
export function commandText({ command, heredocs }: RunInstruction): string {
  const text = command.form === "shell" ? command.text : command.args.join(" ");
  return [text, ...heredocs.map(({ content }) => content)].join("\n");
}
