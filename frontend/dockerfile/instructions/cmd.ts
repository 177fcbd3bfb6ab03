import { type StageContext, type StageState, withConfig } from "../convertState.js";
import { quotedList, withHistory } from "../history.js";
import type { CmdInstruction } from "../instruction.js";
import { adviseExecForm, argvOf, usedOnce } from "./command.js";

/** CMD. ArgsEscaped means something on Windows only, but is in every config that BuildKit writes. */
export function applyCmd(s: StageState, ins: CmdInstruction, c: StageContext): StageState {
  adviseExecForm(ins.command, "CMD", ins.at, s, c);
  const argv = argvOf(ins.command, s);
  const changed = withConfig(usedOnce("cmd", ins.at, s, c), { Cmd: argv, ArgsEscaped: true });
  return withHistory(changed, c, `CMD ${quotedList(argv)}`, "config");
}
