import type { DeclaredArg, StageContext, StageState } from "../convertState.js";
import { withHistory } from "../history.js";
import type { ArgInstruction } from "../instruction.js";
import { looksSecret, violation } from "../lint.js";
import { expand } from "../scope.js";
import { setEnv } from "../scopeEnv.js";

/** Asked of the build as a whole: no variables of a stage. */
const UNSET = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/** ARG: a value comes from the build arguments, else the default, else the global ARG of the same name. */
export function applyArg(s: StageState, ins: ArgInstruction, c: StageContext): StageState {
  const declared = ins.args.reduce((state, arg) => declare(state, arg, ins, c), s);
  const shown = declared.args.slice(s.args.length).map(({ key, value }) => (value === null ? key : `${key}=${value}`));
  return withHistory(declared, c, `ARG ${shown.join(" ")}`, "config");
}

function declare(s: StageState, arg: DeclaredArg, ins: ArgInstruction, c: StageContext): StageState {
  if (looksSecret(arg.key)) c.warn(violation("SecretsUsedInArgOrEnv", ins.at, "ARG", arg.key));
  const value = valueOf(s, arg, ins, c);
  const args = [...s.args, { key: arg.key, value }];
  return value === null || UNSET.includes(arg.key) ? { ...s, args } : { ...s, args, env: setEnv(s.env, arg.key, value) };
}

function valueOf(s: StageState, arg: DeclaredArg, ins: ArgInstruction, c: StageContext): string | null {
  const given = c.options.buildArgs.get(arg.key);
  if (given !== undefined) return given;
  return arg.value === null ? (c.globals.get(arg.key) ?? null) : expand(arg.value, s, c, ins.at);
}
