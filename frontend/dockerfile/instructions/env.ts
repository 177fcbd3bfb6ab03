import { lintSecret } from "../checks/secretValues.js";
import type { DeclaredEnv, StageContext, StageState } from "../convertState.js";
import { withHistory } from "../history.js";
import type { EnvInstruction } from "../instruction.js";
import type { LayeredMap } from "../layeredMap.js";
import { looksSecret, violation } from "../lint.js";
import { expand } from "../scope.js";

/** ENV: all pairs of a line see the values from before the line. */
export function applyEnv(s: StageState, ins: EnvInstruction, c: StageContext): StageState {
  if (ins.legacy) c.warn(violation("LegacyKeyValueFormat", ins.at, "ENV"));
  const pairs = ins.pairs.map(({ key, value }) => [expand(key, s, c, ins.at), expand(value, s, c, ins.at)] as const);
  for (const [key, value] of pairs) {
    if (looksSecret(key)) c.warn(violation("SecretsUsedInArgOrEnv", ins.at, "ENV", key));
    lintSecret(value, `ENV "${key}"`, ins.at, c.options, c.warn);
  }
  const env = s.env.with(pairs);
  const text = pairs.map(([key, value]) => `${key}=${value}`).join(" ");
  return withHistory({ ...s, env, declared: declare(s.declared, pairs) }, c, `ENV ${text}`, "config");
}

function declare(known: LayeredMap<DeclaredEnv>, pairs: readonly (readonly [string, string])[]): LayeredMap<DeclaredEnv> {
  let next = known.size;
  return known.with(pairs.map(([key, value]) => [key, { value, place: known.get(key)?.place ?? next++ }] as const));
}
