import { type StageContext, type StageState, withConfig } from "../convertState.js";
import { quotedList, withHistory } from "../history.js";
import type { CmdInstruction } from "../instruction.js";
import { adviseExecForm, argvOf, usedOnce } from "./command.js";

/** CMD */
export function applyCmd(s: StageState, ins: CmdInstruction, c: StageContext): StageState {
  adviseExecForm(ins.command, "CMD", ins.at, s, c);
  const argv = argvOf(ins.command, s);
  const changed = withConfig(usedOnce("cmd", ins.at, s, c), { Cmd: argv });
  return withHistory(changed, c, `CMD ${quotedList(argv)}`, "config");
}
