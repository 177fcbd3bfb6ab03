import { type StageContext, type StageState, configOf, withConfig } from "../convertState.js";
import type { OnbuildInstruction } from "../instruction.js";

/** ONBUILD: kept for images built from this one; no history entry. */
export function applyOnbuild(s: StageState, ins: OnbuildInstruction, _c: StageContext): StageState {
  return withConfig(s, { OnBuild: [...(configOf(s).OnBuild ?? []), ins.trigger] });
}
