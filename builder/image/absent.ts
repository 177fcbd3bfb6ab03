import type { ImageManifestRecord } from "../../cache/meta/records.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Ref } from "../../cache/ref.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { FetchOpts } from "../registry/client.js";
import type { PackedLayer } from "./applyBlob.js";
import { layerFetcher } from "./fetching.js";
import { sourceAnnotation } from "./origin.js";
import { layerSnapshots, type LayerSnapshot, pinned, unpackSnapshots } from "./unpack.js";

/** More than this many layers are brought here at once, so that no chain of them has to be merged while it is absent. */
const MAX_DECLARED = 100;

/** Of a layer that is declared already: whether it comes from the newly named place first, or when no other is known. */
export type DeclareRank = "first" | "last";

/** Whether a chain of so many layers may stay where it is. */
export function canDeclare(store: Store, layers: number): boolean {
  return store.snapshots.lazy && layers <= MAX_DECLARED;
}

/**
 * Names the snapshot of an image whose layers stay where they are until somebody reads files of it; null when these layers
 * have to be brought here at once. Each blob says where it comes from.
 */
export async function declareLayers(store: Store, layers: readonly PackedLayer[]): Promise<{ readonly name: string | null } | null> {
  if (!canDeclare(store, layers.length)) return null;
  const chain = layerSnapshots(layers);
  for (const layer of chain) await declareLayer(store, layer, "first");
  return { name: chain.at(-1)?.name ?? null };
}

/**
 * Names the snapshot of one layer, which stays where it is; those below it are there. Both writes become durable at once; the
 * record comes first, without which the snapshot would be packed into other bytes.
 */
export async function declareLayer(store: Store, { name, parent, diffId, blob }: LayerSnapshot, rank: DeclareRank): Promise<void> {
  // Pinned before we look: what is there then stays.
  await pinned(store, [name]);
  const { layers, snapshots } = store.meta;
  const known = layers.get(name);
  const isNew = known === undefined;
  const written = isNew ? layers.put(name, { diffId, size: blob.size, empty: false, blobs: [blob] }) : Promise.resolve();
  const declared = snapshots.get(name)?.kind === "committed" ? Promise.resolve() : store.snapshots.declare(name, parent);
  await Promise.all([written, declared]);
  if (!isNew && !known.blobs.some((one) => isSame(one, blob))) await addBlob(store, name, blob, rank);
}

function isSame(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest && a.annotations?.[sourceAnnotation] === b.annotations?.[sourceAnnotation];
}

/** One source of a layer may be gone, or have lied. */
async function addBlob({ meta }: Store, snapshot: string, blob: Descriptor, rank: DeclareRank): Promise<void> {
  await meta.transaction(({ layers }) => {
    const known = layers.get(snapshot);
    if (known === undefined) return;
    const others = known.blobs.filter((one) => !isSame(one, blob));
    layers.put(snapshot, { ...known, blobs: rank === "first" ? [blob, ...others] : [...others, blob] });
  });
}

/** Sees to it that files of results can be read. */
export type BringHere = (refs: readonly (Ref | null)[], opts: StepOpts) => Promise<void>;

/**
 * For one build: fetches and unpacks what is only declared of these results, each layer once. `refetch` brings a blob from
 * where it says that it comes from; `onLost` hears of one that could not be had. @throws {TbuildError} not_found, unavailable, unauthorized, digest_mismatch, corrupt
 */
export function bringer(
  store: Store,
  refetch: (blob: Descriptor, opts: FetchOpts) => Promise<void>,
  onLost: (blob: Descriptor) => void = () => {},
): BringHere {
  const here = new Set<string>();
  const underWay = new Map<string, Promise<void>>();
  const bring = async (name: string, opts: StepOpts) => {
    const absent = await absentLayers(store, name);
    try {
      if (absent.length > 0) await unpackSnapshots(store, absent, { ...opts, fetch: await layerFetcher(refetch, opts) });
    } catch (error) {
      // They are unpacked in order: the first that is not here is the one that failed.
      const [failed] = opts.signal.aborted ? [] : await absentLayers(store, name);
      if (failed !== undefined) onLost(failed.blob);
      throw error;
    }
    here.add(name);
  };
  const once = async (name: string, opts: StepOpts) => {
    if (here.has(name)) return;
    const promise = underWay.get(name) ?? bring(name, opts).finally(() => underWay.delete(name));
    underWay.set(name, promise);
    await promise;
  };
  return async (refs, opts) => {
    // One after the other: they may have layers in common.
    for (const ref of refs) if (ref?.kind === "snapshot" && ref.name !== null) await once(ref.name, opts);
  };
}

/** True when some of an image's files were left in a registry, be it those of a base that other layers are put on. */
export async function isAbsent(store: Store, { layers }: Pick<ImageManifestRecord, "layers">): Promise<boolean> {
  const top = layers.at(-1)?.snapshot;
  return top !== undefined && (await absentLayers(store, top)).length > 0;
}

async function absentLayers(store: Store, top: string): Promise<readonly LayerSnapshot[]> {
  const absent: LayerSnapshot[] = [];
  for (const name of await snapshotChain(store.snapshots, top)) {
    const { here, parent } = await store.snapshots.stat(name);
    const record = here ? undefined : store.meta.layers.get(name);
    if (record?.blobs[0] !== undefined) absent.push({ name, parent, diffId: record.diffId, blob: record.blobs[0] });
  }
  return absent;
}
