import type { Descriptor } from "../../cache/oci/descriptor.js";
import { isDigest } from "../../cache/oci/digest.js";
import { listOf, malformed, objectOf, parseJson, timeOf } from "./configFields.js";
import { type CacheLayer, type CacheRecord, cacheAssembly, chainOf, type SharedCache } from "./sharedCache.js";
import { mountsJson, parseMounts } from "./sharedMounts.js";

/** Media type of BuildKit's description of a cache. Source: BuildKit cache/remotecache/v1/types/spec.go. */
export const cacheConfigType = "application/vnd.buildkit.cacheconfig.v0";

/** A record as BuildKit writes it. `tbuild` is ours: BuildKit passes it over, and its own records have none. */
interface RecordJson {
  readonly layers?: readonly ResultJson[];
  readonly chains?: readonly ChainJson[];
  readonly digest: string;
  readonly tbuild?: OwnJson;
}

interface ResultJson {
  readonly layer: number;
  readonly createdAt: string;
}

interface ChainJson {
  readonly layers: readonly number[];
  readonly createdAt: string;
}

/** Of each output its topmost layer, or all of its layers; none is the empty tree. Absent: only the canonical key is known. */
interface OwnJson {
  readonly canonical: string;
  readonly outputs?: readonly (number | readonly number[])[];
  readonly createdAt: string;
}

/** The cache as BuildKit's config blob, which passes over "tbuild". The same cache is the same bytes. */
export function encodeCacheConfig(cache: SharedCache): Buffer {
  const layers = cache.layers.map(({ parent, blob, diffId, createdAt }) => ({
    blob: blob.digest,
    ...(parent === 0 ? {} : { parent }), // Go leaves out a zero
    annotations: { mediaType: blob.mediaType, diffID: diffId, size: blob.size, createdAt },
  }));
  const records = cache.records.map((record) => recordJson(record, (top) => top));
  const mounts = mountsJson(cache.mounts ?? []);
  return Buffer.from(JSON.stringify({ layers, records, ...(mounts.length === 0 ? {} : { tbuild: { mounts } }) }));
}

/** The records as an image's config has them. `places` says where in the image a layer of the cache is. */
export function encodeInlineRecords(cache: SharedCache, places: (layer: CacheLayer) => number): Buffer {
  const records = cache.records.map((record) => recordJson(record, (top) => inlineOutput(chainOf(cache, top).map(places))));
  return Buffer.from(JSON.stringify(records));
}

function inlineOutput(chain: readonly number[]): number | readonly number[] {
  return chain.length > 0 && chain.every((place, index) => place === index) ? chain.length - 1 : chain;
}

function recordJson({ key, canonical, outputs, createdAt }: CacheRecord, output: (top: number) => number | readonly number[]): RecordJson {
  const shown = outputs?.map((top) => (top < 0 ? [] : output(top)));
  const first = shown?.[0] ?? [];
  const result = typeof first === "number" ? { layers: [{ layer: first, createdAt }] } : first.length > 0 ? { chains: [{ layers: first, createdAt }] } : {};
  return { ...result, digest: key, tbuild: { canonical, ...(shown === undefined ? {} : { outputs: shown }), createdAt } };
}

/**
 * A cache from the config blob of one, and the blobs that it says it has. Records of other engines, whose keys are none of ours,
 * are passed over. What points nowhere is refused. @throws {TbuildError} corrupt
 */
export function parseCacheConfig(bytes: Uint8Array, blobs: readonly Descriptor[] | null, name: string): SharedCache {
  const value = parseJson(bytes, name) as { readonly layers?: unknown; readonly records?: unknown; readonly tbuild?: unknown };
  const given = blobs === null ? null : new Map<string, Descriptor>(blobs.map((blob) => [blob.digest, blob]));
  const layers = listOf(value.layers, name).map((layer) => readLayer(layer, given, name));
  const cache = readRecords(ordered(layers, name), listOf(value.records, name), name);
  const mounts = parseMounts(objectOf(value.tbuild ?? {}, name)["mounts"], name);
  return mounts.length === 0 ? cache : { ...cache, mounts };
}

/** A cache from the records in an image's config, and the image's layers. @throws {TbuildError} corrupt */
export function parseInlineRecords(bytes: Uint8Array, layers: readonly Omit<CacheLayer, "parent">[], name: string): SharedCache {
  const chain = layers.map((layer, index) => ({ ...layer, parent: index - 1 }));
  return readRecords({ layers: chain, places: layers.map((_, index) => index) }, listOf(parseJson(bytes, name), name), name);
}

type MaybeLayer = (Omit<CacheLayer, "parent"> & { readonly parent: number }) | { readonly parent: number; readonly blob: null };

function readLayer(layer: unknown, given: ReadonlyMap<string, Descriptor> | null, name: string): MaybeLayer {
  const { blob, parent = 0, annotations } = objectOf(layer, name);
  const { diffID, mediaType, size, createdAt } = objectOf(annotations ?? {}, name);
  if (typeof parent !== "number" || !Number.isInteger(parent)) throw malformed(name, "a layer without a place");
  if (typeof blob !== "string" || !isDigest(blob) || typeof diffID !== "string" || !isDigest(diffID)) return { parent, blob: null };
  const own = typeof mediaType === "string" && Number.isSafeInteger(size) ? { mediaType, digest: blob, size: size as number } : null;
  const descriptor = given === null ? own : (given.get(blob) ?? null);
  if (descriptor === null) return { parent, blob: null };
  return { parent, blob: descriptor, diffId: diffID, createdAt: timeOf(createdAt) };
}

/** The layers so that each comes after its parent; `places[i]` is where layer i is then, -2 when some blob of its chain is not there. */
interface Ordered {
  readonly layers: readonly CacheLayer[];
  readonly places: readonly number[];
}

function ordered(given: readonly MaybeLayer[], name: string): Ordered {
  const assembly = cacheAssembly();
  const places = new Map<number, number>([[-1, -1]]);
  for (const start of given.keys()) {
    const pending: number[] = [];
    for (let at = start; !places.has(at); at = given[at]!.parent) {
      if (given[at] === undefined) throw malformed(name, `no layer ${at}`);
      if (pending.length > given.length) throw malformed(name, "layers in a circle");
      pending.push(at);
    }
    for (const at of pending.reverse()) {
      const layer = given[at]!;
      const parent = places.get(layer.parent)!;
      places.set(at, layer.blob === null || parent === -2 ? -2 : assembly.layer({ ...layer, parent }));
    }
  }
  return { layers: assembly.done().layers, places: given.map((_, index) => places.get(index)!) };
}

function readRecords({ layers, places }: Ordered, records: readonly unknown[], name: string): SharedCache {
  const assembly = cacheAssembly({ layers, records: [] });
  const placeOf = (index: unknown): number => {
    const place = typeof index === "number" ? places[index] : undefined;
    if (place === undefined) throw malformed(name, `no layer ${JSON.stringify(index)}`);
    return place;
  };
  const topOf = (output: unknown): number => (Array.isArray(output) ? chainTop(output.map(placeOf)) : placeOf(output));
  const chainTop = (chain: readonly number[]): number =>
    chain.includes(-2) ? -2 : chain.reduce((parent, index) => assembly.layer({ ...layers[index]!, parent }), -1);
  for (const record of records) {
    const { digest, tbuild } = objectOf(record, name);
    if (tbuild === undefined || typeof digest !== "string" || !isDigest(digest)) continue;
    const { canonical, outputs, createdAt } = objectOf(tbuild, name);
    if (typeof canonical !== "string" || !isDigest(canonical)) throw malformed(name, "a record without a key");
    const tops = outputs === undefined ? null : listOf(outputs, name).map(topOf);
    assembly.record({ key: digest, canonical, outputs: tops?.includes(-2) === true ? null : tops, createdAt: timeOf(createdAt) });
  }
  return assembly.done();
}
