import { asyncStack } from "../../../cache/asyncStack.js";
import type { Ref } from "../../../cache/ref.js";
import type { ExecMount, ExecOp } from "../../../solver/llb/op.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { BindMount } from "../../executor/executor.js";
import { type OpDeps, scratchRef } from "../opDeps.js";
import type { OutputTrees } from "../outputTrees.js";
import { openBind } from "./bind.js";
import { openCaches } from "./cache.js";
import type { MountContext } from "./context.js";
import { openAgent, openSecret } from "./keyFiles.js";

/** The mounts of a step, but the root, open for as long as it runs. */
export interface OpenMounts extends AsyncDisposable {
  /** In the order in which they are to be mounted. */
  readonly list: readonly BindMount[];
}

/**
 * Opens every mount but the root, caches first, since they may have to be waited for.
 * @throws {TbuildError} not_found, invalid_argument, unavailable, cancelled
 */
export async function openMounts(deps: OpDeps, op: Pick<ExecOp, "mounts">, inputs: readonly Ref[], outputs: OutputTrees, opts: StepOpts): Promise<OpenMounts> {
  const stack = asyncStack();
  try {
    const contextOf = ({ input }: ExecMount): MountContext => ({ deps, input: inputs[input] ?? scratchRef, outputs, stack, opts });
    const caches = await openCaches(op.mounts, contextOf);
    const list: BindMount[] = [];
    for (const mount of op.mounts) {
      const opened = caches.get(mount) ?? (mount.dest === "/" ? null : await openMount(mount, contextOf(mount)));
      if (opened !== null) list.push(opened);
    }
    return { list, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function openMount(mount: ExecMount, context: MountContext): Promise<BindMount | null> {
  const { type, dest } = mount;
  switch (type.kind) {
    case "tmpfs":
      return { kind: "tmpfs", dest, size: type.size === 0 ? null : type.size };
    case "bind":
      return await openBind(mount, context);
    case "cache":
      throw new Error(`Not opened with the other caches: ${dest}`);
    case "secret":
      return openSecret(mount, type, context);
    case "ssh":
      return await openAgent(mount, type, context);
  }
}
