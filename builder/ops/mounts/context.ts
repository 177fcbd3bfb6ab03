import type { AsyncStack } from "../../../cache/asyncStack.js";
import type { Ref } from "../../../cache/ref.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { OpDeps } from "../opDeps.js";
import type { OutputTrees } from "../outputTrees.js";

/** What opening a mount works with. */
export interface MountContext {
  readonly deps: OpDeps;
  /** What the mount starts with; the empty tree when it has no input. */
  readonly input: Ref;
  /** Where trees of mounts go that are outputs of the step. */
  readonly outputs: OutputTrees;
  /** Ends what a mount holds, last first. */
  readonly stack: AsyncStack;
  readonly opts: StepOpts;
}
