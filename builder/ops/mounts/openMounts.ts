import { asyncStack } from "../../../cache/asyncStack.js";
import type { Ref } from "../../../cache/ref.js";
import type { ExecMount, ExecOp } from "../../../solver/llb/op.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { BindMount } from "../../executor/executor.js";
import { type OpDeps, scratchRef } from "../opDeps.js";
import { openBind } from "./bind.js";
import { openCache } from "./cache.js";
import type { MountContext } from "./context.js";
import { openAgent, openSecret } from "./keyFiles.js";

/** The mounts of a step, but the root, open for as long as it runs. */
export interface OpenMounts extends AsyncDisposable {
  /** In the order in which they are to be mounted. */
  readonly list: readonly BindMount[];
}

/**
 * Opens every mount but the root. Caches come first, in one order for all steps, so that two steps which wait for the same two
 * do not wait for each other. @throws {TbuildError} not_found, cancelled
 */
export async function openMounts(deps: OpDeps, op: ExecOp, inputs: readonly Ref[], opts: StepOpts): Promise<OpenMounts> {
  const stack = asyncStack();
  try {
    const opened = new Map<ExecMount, BindMount | null>();
    for (const mount of openingOrder(op.mounts)) {
      opened.set(mount, await openMount(mount, { deps, input: inputs[mount.input] ?? scratchRef, stack, opts }));
    }
    const list = op.mounts.flatMap((mount) => opened.get(mount) ?? []);
    return { list, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

function openingOrder(mounts: readonly ExecMount[]): readonly ExecMount[] {
  const idOf = ({ type }: ExecMount): string => (type.kind === "cache" ? type.id : "");
  const caches = mounts.filter(({ type }) => type.kind === "cache").sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  return [...caches, ...mounts.filter(({ type, dest }) => type.kind !== "cache" && dest !== "/")];
}

async function openMount(mount: ExecMount, context: MountContext): Promise<BindMount | null> {
  const { type, dest } = mount;
  switch (type.kind) {
    case "tmpfs":
      return { kind: "tmpfs", dest, size: type.size === 0 ? null : type.size };
    case "bind":
      return await openBind(mount, context);
    case "cache":
      return await openCache(mount, type, context);
    case "secret":
      return openSecret(mount, type, context);
    case "ssh":
      return await openAgent(mount, type, context);
  }
}
