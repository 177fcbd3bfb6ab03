import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Ref } from "../../cache/ref.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { FetchOpts } from "../registry/client.js";
import type { PackedLayer } from "./applyBlob.js";
import { layerFetcher } from "./fetching.js";
import { layerSnapshots, type LayerSnapshot, unpackSnapshots } from "./unpack.js";

/** More than this many layers are brought here at once, so that no chain of them has to be merged while it is absent. */
const MAX_DECLARED = 100;

/**
 * Names the snapshot of an image whose layers stay where they are until somebody reads files of it; null when these layers
 * have to be brought here at once. Each blob says where it comes from.
 */
export async function declareLayers(store: Store, layers: readonly PackedLayer[]): Promise<{ readonly name: string | null } | null> {
  if (!store.snapshots.lazy || layers.length > MAX_DECLARED) return null;
  const chain = layerSnapshots(layers);
  for (const { name, parent, diffId, blob } of chain) {
    if (store.meta.layers.get(name) === undefined) await store.meta.layers.put(name, { diffId, size: blob.size, empty: false, blobs: [blob] });
    await store.snapshots.declare(name, parent);
  }
  return { name: chain.at(-1)?.name ?? null };
}

/** Sees to it that files of results can be read. */
export type BringHere = (refs: readonly (Ref | null)[], opts: StepOpts) => Promise<void>;

/**
 * For one build: fetches and unpacks what is only declared of these results, each layer once. `refetch` brings a blob from
 * where it says that it comes from. @throws {TbuildError} not_found, unavailable, unauthorized, digest_mismatch, corrupt
 */
export function bringer(store: Store, refetch: (blob: Descriptor, opts: FetchOpts) => Promise<void>): BringHere {
  const here = new Set<string>();
  const underWay = new Map<string, Promise<void>>();
  const bring = async (name: string, opts: StepOpts) => {
    const absent = await absentLayers(store, name);
    if (absent.length > 0) await unpackSnapshots(store, absent, { ...opts, fetch: await layerFetcher(refetch, opts) });
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

async function absentLayers(store: Store, top: string): Promise<readonly LayerSnapshot[]> {
  const absent: LayerSnapshot[] = [];
  for (const name of await snapshotChain(store.snapshots, top)) {
    const { here, parent } = await store.snapshots.stat(name);
    const record = here ? undefined : store.meta.layers.get(name);
    if (record?.blobs[0] !== undefined) absent.push({ name, parent, diffId: record.diffId, blob: record.blobs[0] });
  }
  return absent;
}
