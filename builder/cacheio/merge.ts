import type { Digest } from "../../cache/oci/digest.js";
import { DAY_MS, KEPT_MS } from "./cacheAges.js";
import { mergeMounts } from "./mergeMounts.js";
import { type CacheRecord, cacheAssembly, type SharedCache, withoutUnused } from "./sharedCache.js";

/** How a cache is joined with what others have put there. */
export interface MergeOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Blobs that turned out to be lost: what needs one is left out. */
  readonly lost: ReadonlySet<Digest>;
  /** Whose blobs are kept for a layer that both have. */
  readonly prefer: "theirs" | "ours";
}

/** More would not fit into a manifest, which registries take up to 4 MiB of. The oldest are left out. */
const MAX_LAYERS = 8_000;

/**
 * `theirs` with all that `ours` has besides or has anew. What both have keeps its place and time for a day, so that the same
 * results make the same cache. Pure.
 */
export function mergeCaches(theirs: SharedCache, ours: SharedCache, { now, lost, prefer }: MergeOptions): SharedCache {
  const base = withoutLost(theirs, lost);
  const merged = prefer === "theirs" ? cacheAssembly(base) : added(ours, cacheAssembly());
  const whole = prefer === "theirs" ? added(ours, merged) : added(base, merged, (record) => merged.of(record.key) === undefined);
  const cache = withoutUnused(limited(whole.done(), now));
  const mounts = mergeMounts(theirs.mounts ?? [], ours.mounts ?? [], { now, lost });
  return mounts.length === 0 ? cache : { ...cache, mounts };
}

function added(cache: SharedCache, to: ReturnType<typeof cacheAssembly>, wanted: (record: CacheRecord) => boolean = () => true) {
  const places = new Map<number, number>([[-1, -1]]);
  for (const [index, layer] of cache.layers.entries()) places.set(index, to.layer({ ...layer, parent: places.get(layer.parent)! }));
  for (const record of cache.records) {
    if (!wanted(record)) continue;
    const mine = { ...record, outputs: record.outputs?.map((top) => places.get(top)!) ?? null };
    const before = to.of(record.key);
    if (before === undefined || !says(before, mine)) to.record(mine);
  }
  return to;
}

/** True when a record that is there says all that a new one does, and was written in the last day. */
function says(before: CacheRecord, record: CacheRecord): boolean {
  if (before.outputs !== null && record.outputs === null) return true;
  const isSame = before.canonical === record.canonical && JSON.stringify(before.outputs) === JSON.stringify(record.outputs);
  return isSame && Date.parse(record.createdAt) - Date.parse(before.createdAt) < DAY_MS;
}

function withoutLost(cache: SharedCache, lost: ReadonlySet<Digest>): SharedCache {
  if (lost.size === 0) return cache;
  const broken = new Set<number>();
  for (const [index, { parent, blob }] of cache.layers.entries()) if (broken.has(parent) || lost.has(blob.digest)) broken.add(index);
  return withoutUnused({ ...cache, records: cache.records.filter(({ outputs }) => outputs?.some((top) => broken.has(top)) !== true) });
}

function limited(cache: SharedCache, now: number): SharedCache {
  const young = cache.records.filter(({ createdAt }) => now - Date.parse(createdAt) < KEPT_MS);
  if (withoutUnused({ ...cache, records: young }).layers.length <= MAX_LAYERS) return { ...cache, records: young };
  const newestFirst = young.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  const used = new Set<number>();
  const kept = new Set<CacheRecord>();
  for (const record of newestFirst) {
    for (let at of record.outputs ?? []) for (; at >= 0 && !used.has(at); at = cache.layers[at]!.parent) used.add(at);
    if (used.size > MAX_LAYERS) break;
    kept.add(record);
  }
  return { ...cache, records: young.filter((record) => kept.has(record)) };
}
