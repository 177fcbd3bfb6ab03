import type { Digest } from "../../cache/oci/digest.js";
import type { HistoryEntry, ImageConfig } from "../../cache/oci/descriptor.js";

/** Layers that are compared with each other, counted from 0, base first. */
export interface LayerPair {
  readonly image: readonly number[];
  readonly rebuilt: readonly number[];
}

/**
 * Which layers that differ are compared with which: one with one where there are as many on both sides, else all of them as one.
 * Pure.
 */
export function alignLayers(image: readonly Digest[], rebuilt: readonly Digest[]): readonly LayerPair[] {
  if (image.length === rebuilt.length) return image.flatMap((digest, index) => (digest === rebuilt[index] ? [] : [{ image: [index], rebuilt: [index] }]));
  const least = Math.min(image.length, rebuilt.length);
  let below = 0;
  while (below < least && image[below] === rebuilt[below]) below++;
  let above = 0;
  while (above < least - below && image.at(-1 - above) === rebuilt.at(-1 - above)) above++;
  const between = (count: number) => Array.from({ length: count - below - above }, (_, index) => below + index);
  return [{ image: between(image.length), rebuilt: between(rebuilt.length) }];
}

/** The line of history of each layer, base first; null where there are fewer lines than layers. */
export function layerHistory({ rootfs, history = [] }: Pick<ImageConfig, "rootfs" | "history">): readonly (HistoryEntry | null)[] {
  const own = history.filter(({ empty_layer: isEmpty }) => isEmpty !== true);
  const missing = rootfs.diff_ids.length - own.length;
  return rootfs.diff_ids.map((_, index) => own[index - missing] ?? null);
}
