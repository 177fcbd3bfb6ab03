import type { ApartOutput } from "../../cache/bulk/layerJobs.js";
import type { Mount } from "../../cache/snapshot/snapshotter.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import { applyBlob, type PackedLayer, type ReportOptions } from "./applyBlob.js";

/**
 * Unpacks a layer into the new active snapshot `key`, whatever has become of those below it. Null when it cannot be understood
 * without them; there is no such snapshot then.
 */
export async function unpackApart(store: Store, key: string, layer: PackedLayer, options: ReportOptions): Promise<ApartOutput | null> {
  const mount = await store.snapshots.prepare(key, null);
  const applied = await applyBlob(store, "applyApart", mount, layer.blob, options);
  if (applied === null) await store.snapshots.remove(key);
  return applied;
}

/** Puts a layer that was unpacked apart over the committed snapshot `parent`, of which it then hides what it is to hide. */
export async function stackApart(store: Store, key: string, parent: string, applied: ApartOutput, options: ReportOptions): Promise<void> {
  const mount = await store.snapshots.stack?.(key, parent, applied.root);
  if (mount?.type === "overlay" && applied.hidden.length > 0) await hide(store, mount, applied, options);
}

async function hide(store: Store, mount: Extract<Mount, { type: "overlay" }>, { hidden }: ApartOutput, { signal }: ReportOptions): Promise<void> {
  await using tree = await mountTree(mount);
  await store.bulk.run("hideBelow", { root: tree.path, own: mount.upper!, hidden }, { signal });
}
