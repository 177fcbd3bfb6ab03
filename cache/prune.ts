import { removeCacheMount } from "./cacheMounts.js";
import { removeResumable } from "./content/diskStore.js";
import type { Opts } from "./content/store.js";
import { deleteBlobs, manifestsOf } from "./deleteBlobs.js";
import { cancelled } from "./errors.js";
import { planPrune, type PrunePolicy } from "./gc.js";
import { storeLayout } from "./layout.js";
import { removeLocalCopy } from "./localCopies.js";
import type { MetaDb, MetaTx } from "./meta/db.js";
import { withPins } from "./pins.js";
import { flatName } from "./snapshot/records.js";
import { diskUsage, keysBySnapshot, type UsageRecord, type UsageStore } from "./usage.js";

/** How many things are forgotten under one lock: pinning waits for it, and so must not wait long. */
const BATCH = 2048;

/** How many batches lose their files while the next is forgotten. */
const DELETIONS = 2;

const SNAPSHOT = "snapshot:";
const BLOB = "blob:";
const CACHE_MOUNT = "cachemount:";
const LOCAL_COPY = "localcopy:";

/** Options of {@link prune}. */
export interface PruneOptions extends PrunePolicy, Opts {
  /** Only what this returns true for is removed; blobs that nothing refers to always go. */
  readonly filter?: ((record: UsageRecord) => boolean) | undefined;
}

/** What a prune has done. */
export interface PruneResult {
  readonly removed: readonly UsageRecord[];
  /** Bytes. */
  readonly freedBytes: number;
}

/** What {@link prune} would remove, in order, without removing it. */
export async function planOf(store: UsageStore, options: PruneOptions = {}): Promise<readonly UsageRecord[]> {
  const records = await diskUsage(store);
  const inUse = new Set(records.filter((record) => record.inUse).map(({ id }) => id));
  const referred = new Set(records.flatMap(({ needs }) => needs));
  const isStray = ({ id, type }: UsageRecord) => type === "blob" && !inUse.has(id) && !referred.has(id);
  const rest = records.filter((record) => !isStray(record));
  return [...records.filter(isStray), ...planPrune(rest, inUse, options, Date.now(), options.filter)];
}

/**
 * Removes what no image and no running build of any process uses, least recently used first, within the policy's
 * limits. Records go before the bytes that they name, so that a kill at any instant leaves no record of something gone;
 * bytes without a record are removed by the next recovery. Downloads that nobody goes on with go as well.
 */
export async function prune(store: UsageStore, options: PruneOptions = {}): Promise<PruneResult> {
  const plan = await planOf(store, options);
  removeResumable(storeLayout(store.root).content);
  return await removePlanned(store, plan, options);
}

/** Removes what a plan names, in its order, but for what has come into use since. See {@link prune}. */
export async function removePlanned(store: UsageStore, plan: readonly UsageRecord[], { signal }: Opts = {}): Promise<PruneResult> {
  const keys = plan.length === 0 ? new Map<string, readonly string[]>() : keysBySnapshot(store.meta);
  const removed: UsageRecord[] = [];
  const deletions: Promise<readonly UsageRecord[]>[] = [];
  try {
    for (let i = 0; i < plan.length; i += BATCH) {
      if (signal?.aborted) throw cancelled(signal);
      const batch = plan.slice(i, i + BATCH);
      const { forgotten, directories } = await forgetBatch(store, batch, keys);
      removed.push(...forgotten);
      const deletion = deleteFiles(store, batch, directories);
      deletion.catch(() => {}); // awaited below
      deletions.push(deletion);
      if (deletions.length > DELETIONS) removed.push(...(await deletions.shift()!));
    }
  } finally {
    await Promise.allSettled(deletions);
  }
  removed.push(...(await Promise.all(deletions)).flat());
  return { removed, freedBytes: removed.reduce((sum, { size }) => sum + size, 0) };
}

/** Takes the records of a batch away, and its blobs; what else it had is in `directories` of nobody then. */
async function forgetBatch(
  store: UsageStore,
  batch: readonly UsageRecord[],
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<{ readonly forgotten: readonly UsageRecord[]; readonly directories: readonly string[] }> {
  return await withPins(store.root, async (pinned) => {
    const free = batch.filter(({ id }) => !pinned.has(id));
    const snapshots = await forgetSnapshots(store.meta, free.flatMap(({ id }) => nameIn(id, SNAPSHOT)), keys);
    const blobs = deleteBlobs(store, free.flatMap(({ id }) => nameIn(id, BLOB)));
    const gone = new Set<string>([...snapshots.keys()].map((name) => SNAPSHOT + name));
    for (const name of blobs) gone.add(BLOB + name);
    return { forgotten: free.filter(({ id }) => gone.has(id)), directories: [...snapshots.values()].flat() };
  });
}

/** Those of the batch that are gone now and were not forgotten before. */
async function deleteFiles(store: UsageStore, batch: readonly UsageRecord[], directories: readonly string[]): Promise<readonly UsageRecord[]> {
  const root = storeLayout(store.root).snapshots;
  if (directories.length > 0) await store.bulk.run("removeTrees", { paths: directories.map((id) => `${root}/${id}`) });
  const removeTree = async (path: string) => void (await store.bulk.run("removeTree", { path }));
  return await removeDirectories(store, batch, removeTree);
}

/** Cache mounts and copies guard themselves: one that is in use is passed over. */
async function removeDirectories(store: UsageStore, batch: readonly UsageRecord[], removeTree: (path: string) => Promise<void>) {
  const removed: UsageRecord[] = [];
  for (const record of batch) {
    for (const name of nameIn(record.id, CACHE_MOUNT)) if (await removeCacheMount(store.root, name, removeTree)) removed.push(record);
    for (const name of nameIn(record.id, LOCAL_COPY)) if (await removeLocalCopy(store.root, name, removeTree)) removed.push(record);
  }
  return removed;
}

/** Directory ids of each snapshot that could go; one that has got a child or an image since the plan is passed over. */
function forgetSnapshots(
  meta: MetaDb,
  names: readonly string[],
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  return meta.transaction((tx) => {
    const forgotten = new Map<string, readonly string[]>();
    const children = countChildren(tx);
    const held = new Set(manifestsOf(tx.images).flatMap(({ layers }) => layers.map(({ snapshot }) => snapshot)));
    for (const name of names) {
      const record = tx.snapshots.get(name);
      if (record?.kind !== "committed" || held.has(name) || (children.get(name) ?? 0) > 0) continue;
      if (record.parent !== null) children.set(record.parent, (children.get(record.parent) ?? 0) - 1);
      forgotten.set(name, forgetSnapshot(tx, name, keys.get(name) ?? []));
    }
    return forgotten;
  });
}

function forgetSnapshot(tx: MetaTx, name: string, keys: readonly string[]): readonly string[] {
  const records = [tx.snapshots.get(name), tx.snapshots.get(flatName(name))];
  for (const key of keys) tx.index.remove(key);
  for (const [key] of tx.contentKeys.entries(`${name}\0`)) tx.contentKeys.remove(key);
  tx.layers.remove(name);
  tx.snapshots.remove(flatName(name));
  tx.snapshots.remove(name);
  return records.flatMap((record) => record?.id ?? []);
}

/** Deletes those of `digests` that no layer, no image, no build's record and no running build names by now. */
export async function freeBlobs(store: UsageStore, digests: readonly string[]): Promise<void> {
  await withPins(store.root, async (pinned) => deleteBlobs(store, digests.filter((digest) => !pinned.has(BLOB + digest))));
}

function countChildren({ snapshots }: MetaTx): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, { parent }] of snapshots.entries()) {
    if (parent !== null) counts.set(parent, (counts.get(parent) ?? 0) + 1);
  }
  return counts;
}

function nameIn(id: UsageRecord["id"], kind: typeof SNAPSHOT | typeof BLOB | typeof CACHE_MOUNT | typeof LOCAL_COPY): readonly string[] {
  return id.startsWith(kind) ? [id.slice(kind.length)] : [];
}
