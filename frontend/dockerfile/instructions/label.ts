import { type StageContext, type StageState, configOf, withConfig } from "../convertState.js";
import { withHistory } from "../history.js";
import type { LabelInstruction } from "../instruction.js";
import { violation } from "../lint.js";
import { expand } from "../scope.js";

/** LABEL */
export function applyLabel(s: StageState, ins: LabelInstruction, c: StageContext): StageState {
  if (ins.legacy) c.warn(violation("LegacyKeyValueFormat", ins.at, "LABEL"));
  const pairs = ins.pairs.map(({ key, value }) => [expand(key, s, c, ins.at), expand(value, s, c, ins.at)] as const);
  const text = pairs.map(([key, value]) => `${key}=${value}`).join(" ");
  const labelled = withConfig(s, { Labels: { ...configOf(s).Labels, ...Object.fromEntries(pairs) } });
  return withHistory(labelled, c, `LABEL ${text}`, "config");
}
