import { type StageContext, type StageState, withReads } from "../convertState.js";
import type { CopyInstruction } from "../instruction.js";
import { refused } from "../errors.js";
import { lintIgnored } from "../checks/copyIgnored.js";
import { rootedPath } from "../contextPaths.js";
import { copyStep, expandCopy, localCopy } from "./copyStep.js";
import { isRemote } from "./remote.js";
import { sourceWords } from "./sources.js";

/** COPY: from the build context, or the tree of `--from`. */
export function applyCopy(s: StageState, ins: CopyInstruction, c: StageContext): StageState {
  const copy = expandCopy(ins, s, c);
  const remote = copy.sources.find(isRemote);
  if (remote !== undefined) {
    throw refused(`Cannot copy "${remote}": COPY reads files only`, ins.where(remote), "Use ADD for a URL");
  }
  const [from] = sourceWords(ins);
  if (from === undefined) lintIgnored(ins, copy.sources, c);
  const tree = from === undefined ? c.buildContext : c.sourceOf(from, ins.where(from));
  const how = { unpack: false, parents: ins.parents };
  const changes = copy.sources.map((source) => localCopy(source, tree, copy, how));
  const flags = ins.parents ? ["--parents"] : [];
  const done = copyStep(s, ins, c, copy, { changes: () => changes, flags });
  return withReads(done, tree, copy.sources.map(rootedPath));
}
