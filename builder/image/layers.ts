import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Opts } from "../../cache/content/store.js";
import type { LayerRecord } from "../../cache/meta/records.js";
import type { Store } from "../../cache/store.js";

/** A snapshot as a layer of an image. */
export interface SnapshotLayer extends LayerRecord {
  readonly snapshot: string;
}

/**
 * Layers of a snapshot and its parents, base first; null is the empty tree and has none. What nobody has computed yet is
 * computed now by `prepare`, several at a time, and remembered. @throws {TbuildError} not_found
 */
export async function layersOf(
  store: Store,
  name: string | null,
  prepare: (snapshot: string) => Promise<SnapshotLayer>,
): Promise<readonly SnapshotLayer[]> {
  const chain = await snapshotChain(store.snapshots, name);
  return await Promise.all(chain.map(prepare));
}

/** One snapshot as a layer: its diff ID is remembered, or hashed now. @throws {TbuildError} not_found */
export async function snapshotLayer(store: Store, snapshot: string, opts: Opts = {}): Promise<SnapshotLayer> {
  return { snapshot, ...(await layerRecord(store, snapshot, opts)) };
}

async function layerRecord(store: Store, snapshot: string, opts: Opts): Promise<LayerRecord> {
  const known = store.meta.layers.get(snapshot);
  if (known !== undefined) return known;
  const source = await store.snapshots.changes(snapshot);
  const { diffId, size, entries } = await store.bulk.run("diffLayer", { source, emit: false, clampMtime: null }, opts);
  const record: LayerRecord = { diffId, size, empty: entries === 0, blobs: [] };
  await store.meta.layers.put(snapshot, record);
  return record;
}
