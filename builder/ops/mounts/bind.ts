import { statSync } from "node:fs";
import path from "node:path";
import { mountTree } from "../../../cache/snapshot/mountTree.js";
import type { Mount } from "../../../cache/snapshot/snapshotter.js";
import type { ExecMount } from "../../../solver/llb/op.js";
import type { BindMount } from "../../executor/executor.js";
import { scratchRef, type SnapshotRef } from "../opDeps.js";
import { mountIdentity } from "../selection.js";
import { newName, snapshotStep } from "../snapshotStep.js";
import { openTree } from "../trees.js";
import { mountPoint } from "./mountPoint.js";
import { mountSource } from "./mountSource.js";
import type { MountContext } from "./context.js";

/**
 * A tree, or a file or directory of it, as it is. What a step writes to it is gone when the step ends, unless the mount has an output. Of the build context
 * only what is mounted is copied, so that nothing else and nothing ignored can be seen, and the user's files stay their own.
 */
export async function openBind(mount: ExecMount, context: MountContext): Promise<BindMount> {
  if (mount.readonly && mount.output >= 0) context.outputs.pass(mount.output, context.input);
  const root = mount.readonly && context.input.kind === "snapshot" ? await readOnlyTree(context) : await privateTree(mount, context);
  const source = mountSource(root, mount.selector);
  return { kind: "bind", source, dest: mount.dest, readonly: mount.readonly, isFile: statSync(source).isFile() };
}

async function readOnlyTree({ deps, input, stack }: MountContext): Promise<string> {
  return stack.use(await openTree(deps.store, input, mountPoint(deps.store))).path;
}

/** A writable snapshot, which is thrown away with the step unless it is an output; before the copy that it is put on. */
async function privateTree(mount: ExecMount, context: MountContext): Promise<string> {
  const { deps, input, stack } = context;
  const isKept = mount.output >= 0 && !mount.readonly;
  const parent = input.kind === "snapshot" ? input : await contextCopy(mount.selector, isKept, context);
  const prepared = isKept || parent === input ? await context.outputs.prepare(mount, parent) : await thrownAway(parent, context);
  return stack.use(await mountTree(prepared, mountPoint(deps.store))).path;
}

async function thrownAway(parent: SnapshotRef, { deps, stack }: MountContext): Promise<Mount> {
  const key = newName();
  const prepared = await deps.store.snapshots.prepare(key, parent.name);
  stack.use({ [Symbol.asyncDispose]: () => deps.store.snapshots.remove(key) });
  return prepared;
}

/** The part of a local directory at `selector`, ignored files left out, at the same place in a snapshot of its own. */
async function contextCopy(selector: string, isKept: boolean, { deps, input, stack, opts }: MountContext): Promise<SnapshotRef> {
  if (input.kind === "snapshot") return input;
  const { path: sourceRoot, ignore } = input;
  const { store } = deps;
  const selection = mountIdentity(selector);
  const copy = {
    kind: "copy",
    sourceRoot,
    ignore,
    selection,
    // With its own mode and owner, unlike content alone.
    dest: selection.dirContents ? "/" : `${path.posix.dirname(selection.path)}/`,
    owner: { uid: 0, gid: 0 },
    mode: null,
    modeText: null,
    createDestPath: true,
    unpack: false,
    archiveOwner: null,
    replaceExisting: false,
    mtime: deps.epoch,
  } as const;
  const ref = await snapshotStep(store, scratchRef, async (root) => void (await store.bulk.run("fileActions", { root, actions: [copy] }, { signal: opts.signal })));
  if (!isKept) stack.use({ [Symbol.asyncDispose]: async () => void (ref.name !== null && (await store.snapshots.remove(ref.name))) });
  return ref;
}
