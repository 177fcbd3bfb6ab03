import type { Store } from "../../cache/store.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Edge, Vertex } from "../../solver/graph.js";
import { presentBlob } from "../image/blobs.js";
import type { StepNames } from "./buildConfig.js";

/** A step's layer blobs, base first; several lists where it has several. */
type Layers = Readonly<Record<string, readonly (readonly object[])[]>>;

/**
 * The layer blobs of each step that made layers of the image, as far as there are blobs now. Steps and snapshots are paired by
 * their number; where they do not pair only the result itself is told.
 */
export async function stepLayers(store: Store, root: Edge | null, chain: ReadonlySet<Vertex>, top: string | null, names: StepNames): Promise<Layers> {
  if (root === null || top === null) return {};
  const blobs = await blobsOf(store, top);
  const steps = [...chain].reverse();
  const base = steps[0]?.op.body.kind === "source" ? 1 : 0;
  const made = steps.length - base;
  const counts = made <= blobs.length && (base === 1 || made === blobs.length) ? steps.map((_, index) => blobs.length - (steps.length - 1 - index)) : null;
  const told = counts === null ? [[root.vertex, blobs.length] as const] : steps.map((step, index) => [step, counts[index]!] as const);
  const entries = told.flatMap(([step, count]) => {
    const own = blobs.slice(0, count);
    const known = own.filter((blob) => blob !== null).filter((blob) => blob !== "empty");
    const index = step === root.vertex ? root.index : 0;
    return own.includes(null) || known.length === 0 ? [] : [[`${names.get(step.digest)}:${index}`, [known]] as const];
  });
  return Object.fromEntries(entries);
}

/** Null is a layer that has no blob. */
async function blobsOf(store: Store, top: string): Promise<readonly (object | "empty" | null)[]> {
  const chain = await snapshotChain(store.snapshots, top);
  return await Promise.all(
    chain.map(async (snapshot) => {
      const layer = store.meta.layers.get(snapshot);
      if (layer?.empty === true) return "empty";
      const blob = (await presentBlob(store, layer?.blobs ?? [])) ?? layer?.blobs[0] ?? null;
      return blob === null ? null : { mediaType: blob.mediaType, digest: blob.digest, size: blob.size };
    }),
  );
}
