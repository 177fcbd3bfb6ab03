import { rootedPath } from "../contextPaths.js";
import { type StageContext, type StageState, configOf, withConfig, withSeen, workingDir } from "../convertState.js";
import { fileStep } from "../convertNodes.js";
import { withHistory } from "../history.js";
import { nextStep, shownText } from "../historySteps.js";
import type { WorkdirInstruction } from "../instruction.js";
import { violation } from "../lint.js";
import { refuseWindows } from "../platformWord.js";
import { expand } from "../scope.js";

/** WORKDIR: makes the directory, owned by the current user; "/" is there already. */
export function applyWorkdir(s: StageState, ins: WorkdirInstruction, c: StageContext): StageState {
  refuseWindows("WORKDIR", c.platform, ins.at);
  const path = expand(ins.path, s, c, ins.at);
  const absolute = path.startsWith("/");
  if (!s.seen.has("workdir") && !absolute) c.warn(violation("WorkdirRelativePath", ins.at, path));
  // An absolute path goes into the config as it was written; a relative one is joined and so cleaned.
  const dir = absolute ? path : rootedPath(`${workingDir(s)}/${path}`);
  const moved = withSeen(withConfig(s, { WorkingDir: dir }), "workdir", ins.at);
  return dir === "/" ? withHistory(moved, c, `WORKDIR ${dir}`, "config") : makeDir(moved, dir, ins, c);
}

function makeDir(s: StageState, dir: string, ins: WorkdirInstruction, c: StageContext): StageState {
  const { name, state } = nextStep(s, c, shownText(ins, s, c));
  const path = rootedPath(dir);
  const user = configOf(s).User ?? "";
  const timestamp = timeOf(c);
  const root = fileStep(
    s.root,
    [{ action: (owner) => ({ kind: "mkdir", path, mode: 0o755, makeParents: true, owner: owner(user), timestamp }) }],
    { name, at: [ins.at], ignoreCache: false, platform: null },
  );
  return withHistory({ ...state, root }, c, `WORKDIR ${dir}`, "layer");
}

/** Where files keep their times, the directory has the epoch of the build; else all have one that is in no step. */
function timeOf({ options, created }: StageContext): bigint {
  return options.created === "base" || created === null ? -1n : BigInt(Date.parse(created)) * 1_000_000n;
}
