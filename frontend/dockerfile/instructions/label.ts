import { lintSecret } from "../checks/secretValues.js";
import type { StageContext, StageState } from "../convertState.js";
import { withHistory } from "../history.js";
import type { LabelInstruction } from "../instruction.js";
import { violation } from "../lint.js";
import { expand } from "../scope.js";

/** LABEL */
export function applyLabel(s: StageState, ins: LabelInstruction, c: StageContext): StageState {
  if (ins.legacy) c.warn(violation("LegacyKeyValueFormat", ins.at, "LABEL"));
  const pairs = ins.pairs.map(({ key, value }) => [expand(key, s, c, ins.at), expand(value, s, c, ins.at)] as const);
  for (const [key, value] of pairs) lintSecret(value, `LABEL "${key}"`, ins.at, c.options, c.warn);
  const text = pairs.map(([key, value]) => `${key}=${value}`).join(" ");
  return withHistory({ ...s, labels: s.labels.with(pairs) }, c, `LABEL ${text}`, "config");
}
