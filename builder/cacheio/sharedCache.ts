import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { mountBlobs, type SharedMount } from "./sharedMounts.js";

/** What a shared cache holds: results of steps, as chains of layers that many of them have in common. Plain data. */
export interface SharedCache {
  /** A layer comes after the one that it is put on. */
  readonly layers: readonly CacheLayer[];
  readonly records: readonly CacheRecord[];
  /** Contents of cache mounts, each key once; none when absent. */
  readonly mounts?: readonly SharedMount[];
}

/** One layer on top of others. */
export interface CacheLayer {
  /** Index of the layer below; -1 for the lowest. */
  readonly parent: number;
  readonly blob: Descriptor;
  /** Of the uncompressed tar. */
  readonly diffId: Digest;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What is known of one key. */
export interface CacheRecord {
  readonly key: Digest;
  /** The key that users of the step build on. */
  readonly canonical: Digest;
  /** Topmost layer of each output, -1 for the empty tree; null when only the canonical key is known. */
  readonly outputs: readonly number[] | null;
  /** RFC 3339: when it was last exported, give or take a day. */
  readonly createdAt: string;
}

/** Nothing. */
export const emptyCache: SharedCache = { layers: [], records: [] };

/** All that a cache consists of besides its config, each blob once. */
export function blobsOf({ layers, mounts = [] }: SharedCache): readonly Descriptor[] {
  const blobs = [...layers.map(({ blob }) => blob), ...mountBlobs(mounts)];
  return [...new Map(blobs.map(({ mediaType, digest, size }) => [digest, { mediaType, digest, size }])).values()];
}

/** Layers of a result, lowest first. */
export function chainOf(cache: SharedCache, top: number): readonly CacheLayer[] {
  return placesOf(cache, top).map((at) => cache.layers[at]!);
}

/** Indices of the layers of a result, lowest first. */
export function placesOf({ layers }: SharedCache, top: number): readonly number[] {
  const chain: number[] = [];
  for (let at = top; at >= 0; at = layers[at]!.parent) chain.push(at);
  return chain.reverse();
}

/** Puts a cache together, each layer and each key once. */
export interface CacheAssembly {
  /** Index of the layer; the first that has these changes on this parent is taken for all that come later. */
  layer(layer: CacheLayer): number;
  /** Replaces what the key had. */
  record(record: CacheRecord): void;
  of(key: Digest): CacheRecord | undefined;
  done(): SharedCache;
}

/** Starts as `base`, whose layers keep their places. */
export function cacheAssembly(base: SharedCache = emptyCache): CacheAssembly {
  const layers = [...base.layers];
  const records = new Map(base.records.map((record) => [record.key, record]));
  const idOf = ({ parent, diffId }: CacheLayer): string => `${parent} ${diffId}`;
  const known = new Map(layers.map((layer, index) => [idOf(layer), index]).reverse() as [string, number][]);
  return {
    layer(layer) {
      const id = idOf(layer);
      const before = known.get(id);
      if (before !== undefined) return before;
      known.set(id, layers.length);
      return layers.push(layer) - 1;
    },
    record: (record) => void records.set(record.key, record),
    of: (key) => records.get(key),
    done: () => ({ layers, records: [...records.values()] }),
  };
}

/** The cache without layers that no record needs. */
export function withoutUnused({ layers, records }: SharedCache): SharedCache {
  const used = new Set<number>();
  for (const { outputs } of records) {
    for (let at of outputs ?? []) for (; at >= 0 && !used.has(at); at = layers[at]!.parent) used.add(at);
  }
  if (used.size === layers.length) return { layers, records };
  const places = new Map<number, number>([[-1, -1]]);
  for (const index of layers.keys()) if (used.has(index)) places.set(index, places.size - 1);
  const placeOf = (index: number): number => places.get(index)!;
  return {
    layers: layers.filter((_, index) => used.has(index)).map((layer) => ({ ...layer, parent: placeOf(layer.parent) })),
    records: records.map((record) => ({ ...record, outputs: record.outputs?.map(placeOf) ?? null })),
  };
}
