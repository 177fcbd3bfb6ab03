import { type StageContext, type StageState, withConfig } from "../convertState.js";
import { withHistory } from "../history.js";
import type { ShellInstruction } from "../instruction.js";

/** SHELL */
export function applyShell(s: StageState, ins: ShellInstruction, c: StageContext): StageState {
  return withHistory(withConfig(s, { Shell: ins.args }), c, `SHELL [${ins.args.join(" ")}]`, "config");
}
