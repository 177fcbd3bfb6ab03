import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { asyncStack, type AsyncStack } from "../../cache/asyncStack.js";
import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { ExecMount, ExecOp } from "../../solver/llb/op.js";
import type { BindMount } from "../executor/executor.js";
import { realPathInRoot } from "../executor/rootFile.js";
import { missingSource } from "../missingSource.js";
import { type OpDeps, scratchRef } from "./opDeps.js";
import { newName } from "./snapshotStep.js";
import { openTree } from "./trees.js";

/** True for a mount that a step can do without, and has to: nobody can give it a secret or an agent yet. */
export function isLeftOut({ type }: ExecMount): boolean {
  return (type.kind === "secret" || type.kind === "ssh") && type.optional;
}

/** Every mount but the root, opened for the time of the step. */
export async function openMounts(deps: OpDeps, op: ExecOp, inputs: readonly Ref[]): Promise<AsyncDisposable & { list: readonly BindMount[] }> {
  const stack = asyncStack();
  try {
    const list: BindMount[] = [];
    for (const mount of op.mounts) if (mount.dest !== "/" && !isLeftOut(mount)) list.push(await openMount(deps, mount, inputs, stack));
    return { list, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function openMount(deps: OpDeps, mount: ExecMount, inputs: readonly Ref[], stack: AsyncStack): Promise<BindMount> {
  if (mount.type.kind === "tmpfs") return { kind: "tmpfs", dest: mount.dest, size: mount.type.size === 0 ? null : mount.type.size };
  if (mount.type.kind !== "bind" || !mount.readonly) throw unsupportedMount(mount);
  const ref = inputs[mount.input] ?? scratchRef;
  if (ref.kind === "directory") throw unsupportedMount(mount);
  const at = path.join(deps.store.scratch, "binds", newName());
  mkdirSync(at, { recursive: true });
  const tree = stack.use(await openTree(deps.store, ref, at));
  const source = realPathInRoot(tree.path, path.posix.join("/", mount.selector));
  if (source === null) throw missingSource("mount", mount.selector, { path: tree.path, ignore: [], ignoreFile: null, name: "its stage or image", kind: "stage" });
  return { kind: "bind", source, dest: mount.dest, readonly: true, isFile: statSync(source).isFile() };
}

function unsupportedMount(mount: ExecMount): TbuildError {
  return new TbuildError("unsupported", `Cannot mount "${mount.dest}": mounts of type "${mount.type.kind}" are not supported yet`);
}
