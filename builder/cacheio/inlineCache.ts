import type { Digest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { KnownStep } from "../../solver/sharedResults.js";
import type { SnapshotLayer } from "../image/layers.js";
import { encodeInlineRecords } from "./cacheConfig.js";
import { isImageSource } from "./collect.js";
import { type CacheLayer, cacheAssembly } from "./sharedCache.js";

/** What an image says of the steps that made it: the value of `inlineKey`, undefined when there is nothing to say. */
export type InlineCache = (layers: readonly SnapshotLayer[], createdAt: string) => string | undefined;

/**
 * The cache inside an image. `wanted` are the steps of its platform, `inImage` those whose results are layers. Results are told by
 * the image's own layers, base first and empty ones included; of other steps there are only the keys. Pure.
 */
export function inlineCache(steps: readonly KnownStep<Ref>[], wanted: ReadonlySet<Digest>, inImage: ReadonlySet<Digest>): InlineCache {
  const own = steps.filter(({ vertex }) => wanted.has(vertex.digest) && !isImageSource(vertex));
  return (layers, createdAt) => {
    const tops = topsOf(layers);
    const assembly = cacheAssembly({ layers: placeholders(layers), records: [] });
    for (const { keys, canonical, outputs, vertex } of own) {
      const found = inImage.has(vertex.digest) ? (outputs?.map((ref) => topOf(ref, tops)) ?? null) : null;
      const places = found?.every((top) => top !== undefined) === true ? (found as readonly number[]) : null;
      for (const key of keys) assembly.record({ key, canonical, outputs: places, createdAt });
    }
    const cache = assembly.done();
    if (!cache.records.some(({ outputs }) => outputs !== null)) return undefined;
    return encodeInlineRecords(cache, (layer) => cache.layers.indexOf(layer)).toString("base64");
  };
}

/** Snapshot → index in the image of its topmost layer. */
function topsOf(layers: readonly SnapshotLayer[]): ReadonlyMap<string, number> {
  let top = -1;
  return new Map(layers.map(({ snapshot, empty }) => [snapshot, empty ? top : ++top]));
}

function topOf(ref: Ref, tops: ReadonlyMap<string, number>): number | undefined {
  if (ref.kind !== "snapshot") return undefined;
  return ref.name === null ? -1 : tops.get(ref.name);
}

/** The image's own manifest says what its layers are. */
function placeholders(layers: readonly SnapshotLayer[]): readonly CacheLayer[] {
  const own = layers.filter(({ empty }) => !empty);
  return own.map(({ diffId, size }, index) => ({ parent: index - 1, diffId, createdAt: "", blob: { mediaType: "", digest: diffId, size } }));
}
