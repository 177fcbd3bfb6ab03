import { statSync } from "node:fs";
import path from "node:path";
import { blobsOfBuild } from "./buildRecords.js";
import type { BulkPool } from "./bulk/pool.js";
import { listCacheMounts } from "./cacheMounts.js";
import type { FileContentStore } from "./content/store.js";
import { type GcItem, mark } from "./gc.js";
import { isDangling } from "./images.js";
import { snapshotsOf } from "./index.js";
import { storeLayout } from "./layout.js";
import { listLocalCopies } from "./localCopies.js";
import type { MetaDb, SnapshotRecord } from "./meta/db.js";
import type { CacheRecord, ImageRecord } from "./meta/records.js";
import { type PinName, withPins } from "./pins.js";
import { flatName } from "./snapshot/records.js";

/** The parts of a store that usage and pruning look at. */
export interface UsageStore {
  readonly root: string;
  readonly meta: MetaDb;
  readonly content: FileContentStore;
  readonly bulk: BulkPool;
}

/** One thing that takes space in the store. `size` in bytes on disk: blocks, not lengths of files. */
export interface UsageRecord extends GcItem {
  /** "snapshot:<name>", "blob:<digest>", "cachemount:<directory>", "localcopy:<copy>" or "internal:metadata". */
  readonly id: PinName | "internal:metadata";
  /**
   * `image`: a snapshot that is a layer of a named image; `regular`: any other snapshot; `source.local`: a client's directory;
   * `internal`: what the store itself needs.
   */
  readonly type: "regular" | "image" | "blob" | "exec.cachemount" | "source.local" | "source.git.checkout" | "internal";
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Held by an image, a running build, the record of one or something that is; never pruned. */
  readonly inUse: boolean;
  /** Held by an image of the image store. */
  readonly inImage: boolean;
  /** Held by the record of a build. */
  readonly inRecord: boolean;
  /** Held by an image and by the build cache. */
  readonly shared: boolean;
  /** Name of the parent snapshot. */
  readonly parent: string | null;
  /** Display name of a step that made it, or "". */
  readonly description: string;
}

/** What leads to a snapshot in the cache index. */
interface IndexUse {
  readonly keys: string[];
  readonly description: string;
  /** It is what a repository held. */
  readonly checkout: boolean;
  lastUsedAt: number;
}

/** Options of {@link diskUsage}. */
export interface UsageOptions {
  /** Whether images that have lost their name hold what they are made of; default "held". */
  readonly dangling?: "held" | "free";
}

/**
 * Everything in the store that takes space, of all processes. Snapshots are measured the first time somebody asks, and
 * their sizes remembered.
 */
export async function diskUsage(store: UsageStore, { dangling = "held" }: UsageOptions = {}): Promise<readonly UsageRecord[]> {
  const pinned = await withPins(store.root, async (names) => names);
  const items = [...(await snapshotItems(store)), ...(await blobItems(store)), ...(await cacheMountItems(store)), ...(await localCopyItems(store))];
  const byId = new Map<string, Item>(items.map((item) => [item.id, item]));
  const needs = (id: string) => byId.get(id)?.needs ?? [];
  const active = items.filter(({ kind }) => kind === "active" || kind === "open-mount" || kind === "open-copy").map(({ id }) => id);
  const holding = [...store.meta.images.entries()].filter(([, image]) => dangling === "held" || !isDangling(image));
  const images = holding.flatMap(([, image]) => holdsOf(image));
  const inImages = mark(images, needs);
  const builds = [...store.meta.builds.entries()].flatMap(([, build]) => blobsOfBuild(build).map(({ digest }) => `blob:${digest}`));
  const inRecords = mark(builds, needs);
  const inUse = mark([...images, ...builds, ...pinned, ...active], needs);
  return items.map(({ kind, cached, ...item }) => ({
    ...item,
    type: typeOf(kind, inImages.has(item.id)),
    inUse: inUse.has(item.id),
    inImage: inImages.has(item.id),
    inRecord: inRecords.has(item.id),
    shared: cached && inImages.has(item.id),
  }));
}

function typeOf(kind: Item["kind"], inImage: boolean): UsageRecord["type"] {
  if (kind === "blob") return "blob";
  if (kind === "mount" || kind === "open-mount") return "exec.cachemount";
  if (kind === "copy" || kind === "open-copy") return "source.local";
  if (kind === "checkout") return "source.git.checkout";
  return inImage ? "image" : "regular";
}

/** Cache keys by the snapshot that they lead to. */
export function keysBySnapshot(meta: MetaDb): ReadonlyMap<string, readonly string[]> {
  return new Map([...indexUses(meta)].map(([name, { keys }]) => [name, keys]));
}

type Item = Omit<UsageRecord, "type" | "inUse" | "inImage" | "inRecord" | "shared"> & {
  readonly kind: "active" | "committed" | "checkout" | "blob" | "mount" | "open-mount" | "copy" | "open-copy";
  /** The cache index leads to it. */
  readonly cached: boolean;
};

async function snapshotItems(store: UsageStore): Promise<readonly Item[]> {
  const { meta } = store;
  const sizes = await measure(store);
  const uses = indexUses(meta);
  const records = [...meta.snapshots.entries()].filter(([name]) => !name.startsWith(flatName("")));
  return records.map(([name, record]) => {
    const use = uses.get(name);
    return {
      id: `snapshot:${name}`,
      kind: use?.checkout === true && record.kind === "committed" ? "checkout" : record.kind,
      size: (sizes.get(name) ?? 0) + (sizes.get(flatName(name)) ?? 0),
      createdAt: record.createdAt,
      lastUsedAt: Math.max(record.lastUsedAt, use?.lastUsedAt ?? 0),
      needs: snapshotNeeds(meta, name, record),
      parent: record.parent,
      description: use?.description ?? "",
      cached: use !== undefined,
    };
  });
}

async function blobItems({ content }: UsageStore): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const { digest, createdAt } of content.walk()) {
    const id = `blob:${digest}` as const;
    const size = blocksOf(content.pathOf(digest));
    const rest = { needs: [], parent: null, description: "", cached: false };
    items.push({ id, kind: "blob", size, createdAt, lastUsedAt: createdAt, ...rest });
  }
  return items;
}

function blocksOf(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

async function cacheMountItems({ root, bulk }: UsageStore): Promise<readonly Item[]> {
  return await Promise.all(
    listCacheMounts(root).map(async ({ name, id, path: dir, inUse, createdAt, lastUsedAt }): Promise<Item> => {
      const { bytes } = await bulk.run("diskUsage", { path: dir });
      const rest = { needs: [], parent: null, description: `cache mount "${id}"`, cached: false };
      return { id: `cachemount:${name}`, kind: inUse ? "open-mount" : "mount", size: bytes, createdAt, lastUsedAt, ...rest };
    }),
  );
}

async function localCopyItems({ root, bulk }: UsageStore): Promise<readonly Item[]> {
  return await Promise.all(
    listLocalCopies(root).map(async ({ name, key, path: dir, inUse, createdAt, lastUsedAt }): Promise<Item> => {
      const { bytes } = await bulk.run("diskUsage", { path: dir });
      const rest = { needs: [], parent: null, description: `local source for ${key}`, cached: false };
      return { id: `localcopy:${name}`, kind: inUse ? "open-copy" : "copy", size: bytes, createdAt, lastUsedAt, ...rest };
    }),
  );
}

function snapshotNeeds(meta: MetaDb, name: string, { parent }: SnapshotRecord): readonly PinName[] {
  const blobs = (meta.layers.get(name)?.blobs ?? []).map(({ digest }) => `blob:${digest}` as const);
  return parent === null ? blobs : [`snapshot:${parent}`, ...blobs];
}

function holdsOf({ manifests }: ImageRecord): readonly PinName[] {
  return manifests.flatMap(({ config, layers, attestations = [] }): PinName[] => [
    `blob:${config}`,
    ...attestations.map(({ predicate }) => `blob:${predicate}` as const),
    ...layers.map(({ snapshot }) => `snapshot:${snapshot}` as const),
  ]);
}

function indexUses(meta: MetaDb): ReadonlyMap<string, IndexUse> {
  const uses = new Map<string, IndexUse>();
  for (const [key, record] of meta.index.entries()) {
    for (const name of snapshotsOf(record)) {
      const use = uses.get(name) ?? { keys: [], description: record.parts.name, checkout: isCheckout(record), lastUsedAt: 0 };
      use.keys.push(key);
      use.lastUsedAt = Math.max(use.lastUsedAt, record.lastUsedAt);
      uses.set(name, use);
    }
  }
  return uses;
}

/** By what a step that reads a repository says of itself. */
function isCheckout({ parts: { attributes } }: CacheRecord): boolean {
  return attributes["repository"] !== undefined && attributes["commit"] !== undefined;
}

/** So many are measured by one job. */
const MEASURED = 1000;

async function measure(store: UsageStore): Promise<ReadonlyMap<string, number>> {
  const entries = [...store.meta.snapshots.entries()];
  const sizes = new Map(entries.map(([name, { size }]) => [name, size ?? 0]));
  const unknown = entries.filter(([, { size }]) => size === null);
  const chunks = Array.from({ length: Math.ceil(unknown.length / MEASURED) }, (_, at) => unknown.slice(at * MEASURED, (at + 1) * MEASURED));
  const measured = (await Promise.all(chunks.map((chunk) => sizesOf(store, chunk)))).flat();
  for (const [name, size] of measured) sizes.set(name, size);
  const fresh = measured.filter(([, , { kind }]) => kind === "committed");
  if (fresh.length > 0) await remember(store.meta, fresh);
  return sizes;
}

type Sized = readonly [name: string, size: number, record: SnapshotRecord];

// A snapshot that its owner removes meanwhile counts as nothing.
async function sizesOf(store: UsageStore, snapshots: readonly (readonly [string, SnapshotRecord])[]): Promise<readonly Sized[]> {
  const sizes = await store.bulk.run("diskUsages", { paths: snapshots.map(([, { id }]) => directoryOf(store, id)) });
  return snapshots.map(([name, record], at) => [name, sizes[at]!, record]);
}

async function remember(meta: MetaDb, sized: readonly Sized[]): Promise<void> {
  await meta.transaction((tx) => {
    for (const [name, size, { id }] of sized) {
      const record = tx.snapshots.get(name);
      if (record?.id === id && record.kind === "committed") tx.snapshots.put(name, { ...record, size });
    }
  });
}

/** Bytes on disk of a snapshot of this name, measured now; none is 0. */
export async function snapshotBytes(store: UsageStore, name: string): Promise<number> {
  const record = store.meta.snapshots.get(name);
  return record === undefined ? 0 : (await store.bulk.run("diskUsage", { path: directoryOf(store, record.id) })).bytes;
}

function directoryOf({ root }: UsageStore, id: string): string {
  return path.join(storeLayout(root).snapshots, id);
}
