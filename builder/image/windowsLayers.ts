import type { Platform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import { type BlobOptions, windowsLayer } from "./blobs.js";
import type { SnapshotLayer } from "./layers.js";
import { latestTime, type Rewritten } from "./rewriteTimes.js";

/** True for an image whose layers Windows reads, in a form of their own. */
export function isForWindows({ os }: Pick<Platform, "os">): boolean {
  return os === "windows";
}

/** The layers that the build made, in the form that Windows reads. Those of the base are so already. Layers base first. */
export async function windowsLayers(
  store: Store,
  layers: readonly SnapshotLayer[],
  image: Rewritten,
  options: BlobOptions & { readonly rewriteTimes?: boolean },
): Promise<readonly SnapshotLayer[]> {
  const base = new Set(image.baseDiffIds);
  const latest = options.rewriteTimes === true ? latestTime(image) : null;
  const isKept = ({ empty, diffId }: SnapshotLayer) => empty || base.has(diffId);
  return await Promise.all(layers.map(async (layer) => (isKept(layer) ? layer : await windowsLayer(store, layer, latest, options))));
}
