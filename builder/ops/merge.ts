import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { ChangeSource, Mount } from "../../cache/snapshot/snapshotter.js";
import type { Store } from "../../cache/store.js";
import type { MergeOp } from "../../solver/llb/op.js";
import type { OpRunner, StepOpts } from "../../solver/opRunner.js";
import { wholeInput } from "./contentKey.js";
import { opDigest } from "./opDigest.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./opDeps.js";
import { newName } from "./snapshotStep.js";

/**
 * Puts trees on top of each other: what each snapshot of a higher one changed is changed again on the lower one, so that
 * its layers stay what they are, whatever they are put on. Source: BuildKit docs/dev/merge-diff.md.
 */
export function mergeRunner({ store }: OpDeps, op: MergeOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return { digest: opDigest(vertex.op), attributes: { trees: String(op.inputs.length) }, inputs: vertex.inputs.map(() => wholeInput(store)) };
    },
    async exec(vertex, inputs, opts) {
      const trees = op.inputs.map((index) => snapshotOf(index < 0 ? scratchRef : inputs[index], vertex.name));
      return [await merged(store, trees, opts)];
    },
  };
}

function snapshotOf(ref: Ref | undefined, step: string): SnapshotRef {
  if (ref?.kind === "snapshot") return ref;
  throw new TbuildError("unsupported", `Cannot merge a local directory in "${step}": copy it into a stage first`);
}

async function merged(store: Store, trees: readonly SnapshotRef[], opts: StepOpts): Promise<SnapshotRef> {
  const [base, ...others] = trees.filter(({ name }) => name !== null);
  let top = base ?? scratchRef;
  for (const { name } of others) {
    for (const layer of await snapshotChain(store.snapshots, name)) top = await graft(store, top, layer, opts);
  }
  return top;
}

/** A snapshot on `parent` with the changes of the snapshot `layer`. Nothing remains when it fails. */
async function graft(store: Store, parent: SnapshotRef, layer: string, opts: StepOpts): Promise<SnapshotRef> {
  const key = newName();
  const mount = await store.snapshots.prepare(key, parent.name);
  try {
    await repeatChanges(store, await store.snapshots.changes(layer), mount, opts);
    const name = newName();
    await store.snapshots.commit(name, key, { standalone: true });
    await repeatRecord(store, layer, name);
    return { kind: "snapshot", name };
  } catch (error) {
    // What cannot be removed now is removed when the store is closed; the first error tells more.
    await store.snapshots.remove(key).catch(() => {});
    throw error;
  }
}

/** Equal changes are an equal layer. */
async function repeatRecord({ meta }: Store, from: string, to: string): Promise<void> {
  const known = meta.layers.get(from);
  if (known !== undefined) await meta.layers.put(to, known);
}

/** Snapshots never change once committed: where both are overlays, their files can be shared. */
async function repeatChanges(store: Store, changes: ChangeSource, mount: Mount, { signal }: StepOpts): Promise<void> {
  const upper = mount.type === "overlay" ? mount.upper : undefined;
  if (changes.kind === "upper" && upper !== undefined) {
    await store.bulk.run("linkTree", { from: changes.path, to: upper }, { signal });
  } else {
    await repeatAsLayer(store, changes, mount, signal);
  }
}

/** For whole trees: the difference as a layer, which is then unpacked. */
async function repeatAsLayer(store: Store, source: ChangeSource, mount: Mount, signal: AbortSignal): Promise<void> {
  const dir = path.join(store.scratch, "layers");
  mkdirSync(dir, { recursive: true });
  const blob = path.join(dir, newName());
  const file = openSync(blob, "wx", 0o600);
  try {
    const onChunk = (chunk: Uint8Array) => void writeSync(file, chunk);
    await store.bulk.run("diffLayer", { source, emit: true, clampMtime: null }, { signal, onChunk });
    await using tree = await mountTree(mount);
    await store.bulk.run("applyLayer", { blob, root: tree.path, maxBytes: Number.MAX_SAFE_INTEGER }, { signal });
  } finally {
    closeSync(file);
    rmSync(blob, { force: true });
  }
}
