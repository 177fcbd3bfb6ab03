import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { Vertex } from "../../solver/graph.js";
import type { KnownStep } from "../../solver/sharedResults.js";
import { layerBlob, type BlobOptions } from "../image/blobs.js";
import type { SnapshotLayer } from "../image/layers.js";
import type { LayerPreparer } from "../image/prepare.js";
import type { PushBlob } from "../registry/pushBlob.js";
import { sourceAnnotation } from "../image/origin.js";
import { type CacheLayer, cacheAssembly, type SharedCache } from "./sharedCache.js";

/** What of a build goes into a cache. */
export interface Collected {
  readonly cache: SharedCache;
  /** Every blob of the cache, made already or to be had. */
  readonly blobs: ReadonlyMap<Digest, PushBlob>;
}

/** Options of {@link collectCache}. */
export interface CollectOptions {
  /** False: only the step's keys go into the cache, so that its users can be found. */
  readonly hasResult: (step: KnownStep<Ref>) => boolean;
  readonly layers: LayerPreparer;
  /** How the layers were prepared. */
  readonly blobs: BlobOptions;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Steps of a build with their results as chains of layers. Layers that were left in a registry stay there. */
export async function collectCache(store: Store, steps: readonly KnownStep<Ref>[], options: CollectOptions): Promise<Collected> {
  const own = steps.filter(({ vertex }) => !isImageSource(vertex));
  const withResults = new Set(own.filter((step) => step.outputs?.every(({ kind }) => kind === "snapshot") === true && options.hasResult(step)));
  const placeOf = await assembleLayers(store, [...withResults].flatMap(({ outputs }) => outputs ?? []), options);
  const createdAt = new Date(options.now).toISOString();
  for (const step of own) {
    const outputs = withResults.has(step) ? step.outputs!.map((ref) => placeOf.top(ref)) : null;
    for (const key of step.keys) placeOf.assembly.record({ key, canonical: step.canonical, outputs, createdAt });
  }
  return { cache: placeOf.assembly.done(), blobs: placeOf.blobs };
}

/** True for an image, which is always to be had where it comes from. */
export function isImageSource({ op: { body } }: Vertex): boolean {
  return body.kind === "source" && /^(?:docker-image|oci-layout):/.test(body.identifier);
}

async function assembleLayers(store: Store, refs: readonly Ref[], { layers, blobs: options }: CollectOptions) {
  const parents = new Map<string, string | null>();
  for (const ref of refs) {
    if (ref.kind !== "snapshot") continue;
    let below: string | null = null;
    for (const name of await chainTo(store, ref.name, parents)) {
      parents.set(name, below ?? parents.get(name) ?? null);
      below = name;
    }
  }
  const names = [...parents.keys()];
  const packed = await Promise.all(names.map(async (name) => await withBlob(store, await layers.prepare(name), options)));
  const assembly = cacheAssembly();
  const blobs = new Map<Digest, PushBlob>();
  const tops = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const parent = parents.get(name) ?? null;
    const below = parent === null ? -1 : tops.get(parent)!;
    const layer = packed[index]!;
    if (layer === null) tops.set(name, below);
    else {
      const at = assembly.layer({ ...layer.layer, parent: below });
      tops.set(name, at);
      blobs.set(layer.layer.blob.digest, layer.blob);
    }
  }
  return { assembly, blobs, top: (ref: Ref) => (ref.kind === "snapshot" && ref.name !== null ? tops.get(ref.name)! : -1) };
}

/** A snapshot and those below it, lowest first; the lowest is one that is known, if any is. */
async function chainTo(store: Store, name: string | null, known: ReadonlyMap<string, string | null>): Promise<readonly string[]> {
  const chain: string[] = [];
  for (let at = name; at !== null; at = (await store.snapshots.stat(at)).parent) {
    chain.push(at);
    if (known.has(at)) break;
  }
  return chain.reverse();
}

interface PackedCacheLayer {
  readonly layer: Omit<CacheLayer, "parent">;
  readonly blob: PushBlob;
}

/** Null for a layer that changes nothing. */
async function withBlob(store: Store, snapshot: SnapshotLayer, options: BlobOptions): Promise<PackedCacheLayer | null> {
  if (snapshot.empty) return null;
  const { mediaType, digest, size } = await layerBlob(store, snapshot, options);
  const blob: Descriptor = { mediaType, digest, size };
  const from = (store.meta.layers.get(snapshot.snapshot)?.blobs ?? snapshot.blobs).find((known) => known.digest === digest) ?? blob;
  const { createdAt } = await store.snapshots.stat(snapshot.snapshot);
  const fetch = async (): Promise<void> => void (await layerBlob(store, { ...snapshot, blobs: [from] }, { ...options, missing: "fetch" }));
  return {
    layer: { blob, diffId: snapshot.diffId, createdAt: new Date(createdAt).toISOString() },
    blob: { descriptor: blob, origin: from.annotations?.[sourceAnnotation] ?? null, fetch },
  };
}
