import type { Ref } from "../../cache/ref.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import type { DiffOp } from "../../solver/llb/op.js";
import type { OpRunner, StepOpts } from "../../solver/opRunner.js";
import { wholeInput } from "./contentKey.js";
import { graft } from "./graft.js";
import { asSnapshot } from "./localCopy.js";
import { layOn } from "./layOn.js";
import { opDigest } from "./opDigest.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./opDeps.js";
import { openTree } from "./trees.js";

/**
 * Takes one tree from another: what is left is put on the first by a MergeOp to get the second again. A tree that was made on
 * the first keeps its layers. Source: BuildKit docs/dev/merge-diff.md.
 */
export function diffRunner({ store }: OpDeps, op: DiffOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return { digest: opDigest(vertex.op), attributes: { trees: "2" }, inputs: vertex.inputs.map(() => wholeInput(store)) };
    },
    async exec(_vertex, inputs, opts) {
      const treeAt = (index: number) => asSnapshot(store, inputs[index] ?? scratchRef, opts);
      return [await difference(store, await treeAt(op.lower), await treeAt(op.upper), opts)];
    },
  };
}

async function difference(store: Store, lower: SnapshotRef, upper: SnapshotRef, opts: StepOpts): Promise<SnapshotRef> {
  if (lower.name === null) return upper;
  if (lower.name === upper.name) return scratchRef;
  const chain = await snapshotChain(store.snapshots, upper.name);
  const at = chain.indexOf(lower.name);
  if (at < 0) return await compared(store, lower, upper, opts);
  let top = scratchRef;
  for (const layer of chain.slice(at + 1)) top = await graft(store, top, layer, opts);
  return top;
}

async function compared(store: Store, lower: SnapshotRef, upper: SnapshotRef, opts: StepOpts): Promise<SnapshotRef> {
  await using below = await openTree(store, lower);
  await using above = await openTree(store, upper);
  const { ref } = await layOn(store, scratchRef, { kind: "trees", lower: below.path, upper: above.path }, opts);
  return ref;
}
