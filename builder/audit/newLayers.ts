import type { SourceRange } from "../../cache/errors.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import type { Vertex } from "../../solver/graph.js";

/** A layer of the image that a step of this build made, or an earlier build for it. */
export interface NewLayer {
  readonly step: Vertex;
  readonly snapshot: string;
  readonly at: SourceRange | null;
  /** Directory of what the layer changes, as overlayfs keeps it; null when it is kept in another way. */
  readonly upper: string | null;
}

/**
 * The layers below `top` that `steps` made, lowest first; those of the base image are not among them. Empty when steps and
 * layers do not pair: a step may have left its input as it was.
 */
export async function newLayers(store: Store, top: string | null, steps: readonly Vertex[]): Promise<readonly NewLayer[]> {
  const chain = (await snapshotChain(store.snapshots, top)).slice(-steps.length);
  if (steps.length === 0 || chain.length < steps.length) return [];
  return await Promise.all(
    steps.map(async (step, index) => {
      const snapshot = chain[index]!;
      const changes = await store.snapshots.changes(snapshot);
      return { step, snapshot, at: step.at[0] ?? null, upper: changes.kind === "upper" ? changes.path : null };
    }),
  );
}
