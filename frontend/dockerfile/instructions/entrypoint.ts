import { type StageContext, type StageState, configOf, withConfig } from "../convertState.js";
import { quotedList, withHistory } from "../history.js";
import type { EntrypointInstruction } from "../instruction.js";
import { adviseExecForm, argvOf, usedOnce } from "./command.js";

/** ENTRYPOINT: a CMD of the base was meant for the base's entrypoint, so it goes; one of this stage stays. */
export function applyEntrypoint(s: StageState, ins: EntrypointInstruction, c: StageContext): StageState {
  adviseExecForm(ins.command, "ENTRYPOINT", ins.at, s, c);
  const argv = argvOf(ins.command, s);
  const marked = usedOnce("entrypoint", ins.at, s, c);
  const kept = marked.seen.has("cmd") ? marked : withoutCmd(marked);
  return withHistory(withConfig(kept, { Entrypoint: argv }), c, `ENTRYPOINT ${quotedList(argv)}`, "config");
}

function withoutCmd(s: StageState): StageState {
  const { Cmd: _inherited, ...config } = configOf(s);
  return { ...s, image: { ...s.image, config } };
}
