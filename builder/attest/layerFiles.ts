import path from "node:path";
import { hasCode } from "../../cache/errors.js";
import type { Store } from "../../cache/store.js";
import type { SnapshotLayer } from "../image/layers.js";

/** Index of the layer that a file of the image comes from; null when no layer is known to have it. */
export type LayerOf = (file: string) => number | null;

/** Looks into layers, base first. Those whose files are not here, or are kept in another way, are passed over. */
export async function layerFiles(store: Store, layers: readonly SnapshotLayer[]): Promise<LayerOf> {
  const byPath = new Map<string, number>();
  for (const [index, { snapshot }] of layers.entries()) {
    const upper = await upperOf(store, snapshot);
    const changed = upper === null ? [] : await store.bulk.run("changedPaths", { path: upper }, {});
    for (const { path: file, kind } of changed) if (kind === "file") byPath.set(absolute(file), index);
  }
  return (file) => byPath.get(absolute(file)) ?? null;
}

async function upperOf(store: Store, snapshot: string): Promise<string | null> {
  try {
    if (!(await store.snapshots.stat(snapshot)).here) return null;
    const changes = await store.snapshots.changes(snapshot);
    return changes.kind === "upper" ? changes.path : null;
  } catch (error) {
    if (hasCode(error, "not_found")) return null; // The layer was made for this export alone.
    throw error;
  }
}

function absolute(file: string): string {
  return path.posix.join("/", file);
}
