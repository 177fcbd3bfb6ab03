import { openCacheMount } from "../../../cache/cacheMounts.js";
import type { Ref } from "../../../cache/ref.js";
import type { Store } from "../../../cache/store.js";
import type { ExecMount, MountType } from "../../../solver/llb/op.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { BindMount } from "../../executor/executor.js";
import { realPathInRoot } from "../../executor/rootFile.js";
import { selectedInput } from "../contentKey.js";
import { mountSelection } from "../selection.js";
import { openTree } from "../trees.js";
import { mountPoint } from "./mountPoint.js";
import type { MountContext } from "./context.js";

/**
 * A directory of the store that keeps what steps write to it. It starts with a copy of its input, if it has one; other
 * content to start with is another directory, as in BuildKit.
 */
export async function openCache(mount: ExecMount, type: Extract<MountType, { kind: "cache" }>, context: MountContext): Promise<BindMount> {
  const { deps, input, stack, opts } = context;
  const isEmpty = mount.input < 0;
  const opened = await openCacheMount(deps.store.root, {
    id: type.id,
    sharing: type.sharing,
    base: isEmpty ? "" : await contentOf(deps.store, input, mount.selector, opts),
    fill: async (dir) => (isEmpty ? undefined : await fillFrom(deps.store, input, mount.selector, dir, opts)),
    onWait: () => opts.report.log(2, Buffer.from(`waiting for the cache mount "${type.id.replace(/^\//, "")}": another step has it\n`)),
    signal: opts.signal,
  });
  stack.use({ [Symbol.asyncDispose]: async () => opened[Symbol.dispose]() });
  return { kind: "bind", source: opened.path, dest: mount.dest, readonly: mount.readonly, isFile: false };
}

async function contentOf(store: Store, input: Ref, selector: string, opts: StepOpts): Promise<string> {
  return (await selectedInput(store, [mountSelection(selector)]).content(input, opts)).digest;
}

async function fillFrom(store: Store, input: Ref, selector: string, dir: string, { signal }: StepOpts): Promise<void> {
  await using tree = await openTree(store, input, mountPoint(store));
  const from = realPathInRoot(tree.path, selector === "" ? "/" : selector);
  if (from !== null) await store.bulk.run("copyTree", { from, to: dir }, { signal });
}
