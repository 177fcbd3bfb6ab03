import type { Store } from "../../cache/store.js";
import { canDeclare, declareLayer } from "../image/absent.js";
import { sourceAnnotation } from "../image/origin.js";
import { chainId, type LayerSnapshot } from "../image/unpack.js";
import type { ReadCache } from "./backend.js";
import { placesOf } from "./sharedCache.js";

/** The snapshots that layers of a cache stand for. Results have most of their layers in common: each is named and declared once. */
export interface CacheChains {
  /** Layers of a result, lowest first. */
  layers(top: number): readonly LayerSnapshot[];
  /** Names the snapshot of a result, whose layers stay where they are; null when they have to be brought here at once. */
  declare(top: number): Promise<string | null>;
}

/** Snapshots of a cache that was read. */
export function cacheChains(store: Store, { cache, origin }: ReadCache): CacheChains {
  const snapshots: (LayerSnapshot | undefined)[] = [];
  const declared = new Map<string, Promise<void>>();

  const snapshotOf = (index: number): LayerSnapshot => {
    const { parent: below, diffId, blob } = cache.layers[index]!;
    // Those below come first.
    const parent = snapshots[below]?.name ?? null;
    return (snapshots[index] ??= { name: chainId(parent, diffId), parent, diffId, blob: { ...blob, annotations: { [sourceAnnotation]: origin } } });
  };
  const layers = (top: number): readonly LayerSnapshot[] => placesOf(cache, top).map(snapshotOf);
  const declareOnce = (layer: LayerSnapshot): Promise<void> => {
    const promise = declared.get(layer.name) ?? declareLayer(store, layer, "last");
    declared.set(layer.name, promise);
    return promise;
  };
  return {
    layers,
    async declare(top) {
      const chain = layers(top);
      if (!canDeclare(store, chain.length)) return null;
      for (const layer of chain) await declareOnce(layer);
      return chain.at(-1)?.name ?? null;
    },
  };
}
