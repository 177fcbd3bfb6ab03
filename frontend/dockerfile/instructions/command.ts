import type { SourceRange } from "../../../cache/errors.js";
import { type StageContext, type StageState, configOf, withSeen } from "../convertState.js";
import type { Command } from "../instruction.js";
import { violation } from "../lint.js";

/** Argument list of a shell or exec form. */
export function argvOf(command: Command, s: StageState): readonly string[] {
  return command.form === "exec" ? command.args : [...shellOf(s), command.text];
}

/** The stage's shell. */
export function shellOf(s: StageState): readonly string[] {
  const shell = configOf(s).Shell ?? [];
  if (shell.length > 0) return shell;
  return s.image.os === "windows" ? ["cmd", "/S", "/C"] : ["/bin/sh", "-c"];
}

/** Advises the exec form where the shell was not chosen by SHELL. */
export function adviseExecForm(command: Command, keyword: string, at: SourceRange, s: StageState, c: StageContext): void {
  if (command.form === "exec" || (configOf(s).Shell ?? []).length > 0) return;
  c.warn(violation("JSONArgsRecommended", at, keyword.toUpperCase()));
}

/** Remembers the one use that counts, and advises against more: the earlier one has no effect. */
export function usedOnce(name: string, at: SourceRange, s: StageState, c: StageContext): StageState {
  const earlier = s.seen.get(name);
  if (earlier !== undefined) c.warn(violation("MultipleInstructionsDisallowed", earlier, name.toUpperCase()));
  return withSeen(s, name, at);
}
