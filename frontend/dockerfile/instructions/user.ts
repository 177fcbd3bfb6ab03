import { type StageContext, type StageState, withConfig } from "../convertState.js";
import { withHistory } from "../history.js";
import type { UserInstruction } from "../instruction.js";
import { expand } from "../scope.js";

/** USER */
export function applyUser(s: StageState, ins: UserInstruction, c: StageContext): StageState {
  const user = expand(ins.user, s, c, ins.at);
  return withHistory(withConfig(s, { User: user }), c, `USER ${user}`, "config");
}
