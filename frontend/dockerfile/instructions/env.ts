import { type StageContext, type StageState, configOf, withConfig } from "../convertState.js";
import { withHistory } from "../history.js";
import type { EnvInstruction } from "../instruction.js";
import { looksSecret, violation } from "../lint.js";
import { expand } from "../scope.js";
import { setEnv } from "../scopeEnv.js";

/** ENV: all pairs of a line see the values from before the line. */
export function applyEnv(s: StageState, ins: EnvInstruction, c: StageContext): StageState {
  if (ins.legacy) c.warn(violation("LegacyKeyValueFormat", ins.at, "ENV"));
  const pairs = ins.pairs.map(({ key, value }) => [expand(key, s, c, ins.at), expand(value, s, c, ins.at)] as const);
  for (const [key] of pairs) {
    if (looksSecret(key)) c.warn(violation("SecretsUsedInArgOrEnv", ins.at, "ENV", key));
  }
  const env = pairs.reduce((known, [key, value]) => setEnv(known, key, value), s.env);
  const lines = pairs.reduce(replaceLine, configOf(s).Env ?? []);
  const text = pairs.map(([key, value]) => `${key}=${value}`).join(" ");
  return withHistory(withConfig({ ...s, env }, { Env: lines }), c, `ENV ${text}`, "config");
}

/** In the config a variable keeps its place when it is set again. */
function replaceLine(lines: readonly string[], [key, value]: readonly [string, string]): readonly string[] {
  const line = `${key}=${value}`;
  const at = lines.findIndex((known) => known === key || known.startsWith(`${key}=`));
  return at < 0 ? [...lines, line] : lines.with(at, line);
}
