import type { ImageConfig } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { type BlobOptions, clampedLayer } from "./blobs.js";
import type { SnapshotLayer } from "./layers.js";

/** An image whose layers are rewritten. */
export interface Rewritten {
  readonly image: Pick<ImageConfig, "created">;
  readonly baseDiffIds: readonly Digest[];
  /** Seconds; null when nothing is rewritten. Default: when the image was created. */
  readonly latest?: number | null;
}

/**
 * `rewrite-timestamp`: in the layers that the build made, no time is later than `latest`, or the image's creation, which is
 * SOURCE_DATE_EPOCH where that is given. Those of the base stay as they are. Layers base first.
 */
export async function rewriteTimes(
  store: Store,
  layers: readonly SnapshotLayer[],
  rewritten: Rewritten,
  options: BlobOptions,
): Promise<readonly SnapshotLayer[]> {
  const seconds = latestTime(rewritten);
  if (seconds === null) return layers;
  const base = new Set(rewritten.baseDiffIds);
  const isKept = ({ empty, diffId }: SnapshotLayer) => empty || base.has(diffId);
  return await Promise.all(layers.map(async (layer) => (isKept(layer) ? layer : await clampedLayer(store, layer, seconds, options))));
}

/** Seconds; null when there is nothing to go by. */
export function latestTime({ image, latest }: Rewritten): number | null {
  return latest === undefined ? Math.floor(Date.parse(image.created ?? "1970-01-01T00:00:00Z") / 1000) : latest;
}
