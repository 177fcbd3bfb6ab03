import type { StageContext, StageState } from "../convertState.js";
import { withHistory } from "../history.js";
import type { MaintainerInstruction } from "../instruction.js";
import { violation } from "../lint.js";

/** MAINTAINER: not expanded. */
export function applyMaintainer(s: StageState, ins: MaintainerInstruction, c: StageContext): StageState {
  c.warn(violation("MaintainerDeprecated", ins.at));
  const image = { ...s.image, author: ins.maintainer };
  return withHistory({ ...s, image }, c, `MAINTAINER ${ins.maintainer}`, "config");
}
