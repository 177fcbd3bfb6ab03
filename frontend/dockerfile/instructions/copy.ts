import { contextTree } from "../contextSource.js";
import type { StageContext, StageState } from "../convertState.js";
import type { CopyInstruction } from "../instruction.js";
import { refused } from "../errors.js";
import { copyStep, expandCopy, localCopy, readsContext } from "./copyStep.js";
import { isRemote } from "./remote.js";

/** COPY: from the build context, or the tree of `--from`. */
export function applyCopy(s: StageState, ins: CopyInstruction, c: StageContext): StageState {
  const copy = expandCopy(ins, s, c);
  const remote = copy.sources.find(isRemote);
  if (remote !== undefined) throw refused(`Cannot copy "${remote}": COPY reads files only`, ins.at, "Use ADD for a URL");
  const tree = ins.from === null ? contextTree : c.sourceOf(ins.from, ins.at);
  const how = { unpack: false, parents: ins.parents };
  const changes = copy.sources.map((source) => localCopy(source, tree, copy, how));
  const flags = ins.parents ? ["--parents"] : [];
  const done = copyStep(s, ins, c, copy, { changes: () => changes, flags });
  return ins.from === null ? readsContext(done, copy.sources) : done;
}
