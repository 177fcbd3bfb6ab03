import type { Ref } from "../../cache/ref.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import type { MergeOp } from "../../solver/llb/op.js";
import type { OpRunner, StepOpts } from "../../solver/opRunner.js";
import { wholeInput } from "./contentKey.js";
import { graft } from "./graft.js";
import { asSnapshot } from "./localCopy.js";
import { opDigest } from "./opDigest.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./opDeps.js";

/**
 * Puts trees on top of each other: what each snapshot of a higher one changed is changed again on the lower one, so that
 * its layers stay what they are, whatever they are put on. Source: BuildKit docs/dev/merge-diff.md.
 */
export function mergeRunner({ store }: OpDeps, op: MergeOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return { digest: opDigest(vertex.op), attributes: { trees: String(op.inputs.length) }, inputs: vertex.inputs.map(() => wholeInput(store)) };
    },
    async exec(_vertex, inputs, opts) {
      const trees = await Promise.all(op.inputs.map((index) => asSnapshot(store, inputs[index] ?? scratchRef, opts)));
      return [await merged(store, trees, opts)];
    },
  };
}

async function merged(store: Store, trees: readonly SnapshotRef[], opts: StepOpts): Promise<SnapshotRef> {
  const [base, ...others] = trees.filter(({ name }) => name !== null);
  let top = base ?? scratchRef;
  for (const { name } of others) {
    for (const layer of await snapshotChain(store.snapshots, name)) top = await graft(store, top, layer, opts);
  }
  return top;
}
