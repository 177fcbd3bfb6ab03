import { type StageContext, type StageState, configOf, withConfig } from "../convertState.js";
import { refused } from "../errors.js";
import { withHistory } from "../history.js";
import type { VolumeInstruction } from "../instruction.js";
import { expand } from "../scope.js";

/** VOLUME: goes into the config only; later steps still write below it. */
export function applyVolume(s: StageState, ins: VolumeInstruction, c: StageContext): StageState {
  const paths = ins.paths.map((word) => expand(word, s, c, ins.at));
  if (paths.includes("")) throw refused("Cannot declare a volume without a path", ins.at);
  const volumes = Object.fromEntries(paths.map((path) => [path, {}]));
  const changed = withConfig(s, { Volumes: { ...configOf(s).Volumes, ...volumes } });
  return withHistory(changed, c, `VOLUME [${paths.join(" ")}]`, "config");
}
