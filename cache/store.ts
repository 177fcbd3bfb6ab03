import { mkdirSync } from "node:fs";
import path from "node:path";
import { type AsyncStack, asyncStack } from "./asyncStack.js";
import { type BulkPool, createPool } from "./bulk/pool.js";
import { diskContentStore, removeIngestsOf } from "./content/diskStore.js";
import type { FileContentStore } from "./content/store.js";
import { collect, usedBytes } from "./collect.js";
import { fromSystemError, TbuildError } from "./errors.js";
import { fixFormat, readFormat, type StoreFormat } from "./format.js";
import { type ImageStore, imageStore } from "./images.js";
import { type DiskIndex, diskIndex } from "./index.js";
import { type StoreLayout, storeLayout } from "./layout.js";
import { acquireLease, type Lease } from "./lease.js";
import { leasedSnapshotter } from "./leasedSnapshotter.js";
import type { MetaDb } from "./meta/db.js";
import { openMeta } from "./meta/lmdb.js";
import { unmountBelow } from "./mounts.js";
import { probeOverlay } from "./overlayProbe.js";
import { openPins, type Pins } from "./pins.js";
import { createQuota, type Quota } from "./quota.js";
import { recover, type Recovered } from "./recovery.js";
import { copySnapshotter } from "./snapshot/copy.js";
import { overlaySnapshotter } from "./snapshot/overlay.js";
import type { Snapshotter } from "./snapshot/snapshotter.js";
import { type TemporaryBlobs, temporaryBlobs } from "./temporaryBlobs.js";
import { createTouches } from "./touches.js";
import { snapshotBytes, type UsageStore } from "./usage.js";

/** Options of {@link openStore}. */
export interface StoreOptions {
  /** Absolute path; created when missing. */
  readonly root: string;
  /** Default "auto": what the store has, and for a new one overlay where the kernel lets us, else copy. */
  readonly snapshotter?: "auto" | "overlay" | "copy";
  /** Bulk work follows at once: start a worker thread while the store is being opened. */
  readonly warm?: boolean | undefined;
  /** Bytes that a layer may unpack to; default 256 GiB. */
  readonly maxLayerSize?: number | undefined;
  /** Bytes that the store may take, all counted when it is written; default: as many as there are. */
  readonly maxStoreSize?: number | undefined;
  /** Ends what still runs in the scratch directory of a process that was killed, such as its containers. */
  readonly cleanScratch?: ((scratch: string) => Promise<void>) | undefined;
}

/**
 * Everything at rest under one root, opened by one process. Many processes may open one root. Opening recovers what
 * dead processes left behind; disposing releases the lease and removes this process's temporary files and mounts.
 *
 * No prune of any process takes away what this one has seen or made through its store: `commit`, `view` and `changes`
 * of a snapshot, `info`, `read` and `commit` of a blob, and index hits pin it until the store is closed.
 */
export interface Store extends AsyncDisposable {
  readonly root: string;
  readonly content: FileContentStore;
  readonly snapshots: Snapshotter;
  readonly snapshotterName: "overlay" | "copy";
  readonly meta: MetaDb;
  readonly index: DiskIndex;
  readonly images: ImageStore;
  readonly temporary: TemporaryBlobs;
  readonly bulk: BulkPool;
  /** Bytes that a layer from outside may unpack to: a small download must not fill the disk. */
  readonly maxLayerSize: number;
  /** Id of this process's lease. */
  readonly lease: string;
  /** This process's directory for mount points, bundles and runc state; on no other process's mind until we die. */
  readonly scratch: string;
  /** What dead processes had left when the store was opened. */
  readonly recovered: readonly Recovered[];
  /** Cleans up after processes that have died since. */
  recover(): Promise<readonly Recovered[]>;
  /** Keeps committed snapshots from every prune until the store is closed. @throws {TbuildError} not_found */
  pin(snapshots: readonly string[]): Promise<void>;
  /** Lets prunes take what this process has seen or made until now: it uses nothing of that any more. For one that stays. */
  unpin(): void;
  /** Lets prunes take what this process has not seen since this moment, in milliseconds since the epoch. For one that is never idle. */
  unpinBefore(moment: number): Promise<void>;
}

/**
 * Opens the store at `options.root`.
 * @throws {TbuildError} unsupported, corrupt, invalid_argument, permission_denied, resource_exhausted
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const stack = asyncStack();
  try {
    return await assemble(options, stack);
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw accessError(error, options.root);
  }
}

/** More than honest layers unpack to. */
const MAX_LAYER_SIZE = 2 ** 38;

async function assemble(options: StoreOptions, stack: AsyncStack): Promise<Store> {
  const bulk = stack.use(createPool());
  if (options.warm === true) bulk.warm();
  const layout = storeLayout(options.root);
  const { root } = layout;
  const known = readFormat(layout);
  createLayout(layout);
  const lease = stack.use(await acquireLease(root));
  const { snapshotter: snapshotterName } = chooseFormat(layout, known, lease, options);
  const meta = stack.use(await openMeta(layout.meta));
  const pins = stack.use(openPins(root, lease.id));
  const touches = stack.use(createTouches(meta));
  // Once more, to end before the metadata does, in which jobs' results are written; ending twice is harmless.
  stack.use(bulk);
  const removeTree = async (tree: string) => void (await bulk.run("removeTree", { path: tree }));
  const pinBlob = (digest: string) => pins.pin([`blob:${digest}`]);
  const quota = options.maxStoreSize === undefined ? null : quotaOf(options.maxStoreSize, () => parts);
  const content = diskContentStore(layout.content, { lease: lease.id, pin: pinBlob, admit: quota?.admit });
  const parts = { root, meta, content, bulk };
  const inner = openSnapshots(snapshotterName, layout, { meta, lease: lease.id, removeTree });
  const admit = quota === null ? undefined : async (key: string) => await quota.admit(await snapshotBytes(parts, key));
  const snapshots = stack.use(leasedSnapshotter(inner, pins, admit));
  stack.use({ [Symbol.asyncDispose]: async () => endUse(layout, lease) });
  const recoverNow = () => recover({ root, meta, content, removeTree, cleanScratch: options.cleanScratch });
  return {
    root,
    content,
    snapshots,
    snapshotterName,
    meta,
    index: diskIndex({ meta, pins, touches }),
    images: imageStore(meta),
    temporary: temporaryBlobs(parts, { lease: lease.id, scratch: lease.scratch }),
    bulk,
    maxLayerSize: options.maxLayerSize ?? MAX_LAYER_SIZE,
    lease: lease.id,
    scratch: lease.scratch,
    recovered: await recoverNow(),
    recover: recoverNow,
    pin: (names) => pinCommitted(meta, pins, names),
    unpin: () => pins.clear(),
    unpinBefore: (moment) => pins.clearBefore(moment),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

function quotaOf(maxBytes: number, partsOf: () => UsageStore): Quota {
  return createQuota({
    maxBytes,
    measure: async () => await usedBytes(partsOf()),
    collect: async () => void (await collect(partsOf(), [{ matches: null, keepDurationMs: 0, reservedBytes: 0, maxUsedBytes: maxBytes, minFreeBytes: 0 }])),
  });
}

// Mounts go before the directories that they show.
function endUse({ content }: StoreLayout, { id, scratch }: Lease): void {
  unmountBelow(scratch);
  removeIngestsOf(content, id);
}

// Containers run as any user below mounts/ and snapshots/: they must be able to pass through, not to list.
function createLayout({ root, snapshots, mounts }: StoreLayout): void {
  for (const dir of [root, snapshots, mounts]) mkdirSync(dir, { recursive: true, mode: 0o711 });
}

function chooseFormat(layout: StoreLayout, known: StoreFormat | null, lease: Lease, options: StoreOptions): StoreFormat {
  const { snapshotter: wanted = "auto" } = options;
  const format = known ?? fixFormat(layout, wanted === "auto" ? usable(lease) : wanted, path.join(lease.scratch, "version"));
  if (wanted === "auto" || wanted === format.snapshotter) return format;
  const message = `Cannot open store "${layout.root}": its snapshots are of kind "${format.snapshotter}"`;
  const hint = `Leave the snapshotter at "auto", or use another --root for "${wanted}"`;
  throw new TbuildError("invalid_argument", message, { hint });
}

function usable(lease: Lease): StoreFormat["snapshotter"] {
  return probeOverlay(lease.scratch) ? "overlay" : "copy";
}

interface SnapshotParts {
  readonly meta: MetaDb;
  readonly lease: string;
  removeTree(path: string): Promise<void>;
}

function openSnapshots(name: StoreFormat["snapshotter"], layout: StoreLayout, parts: SnapshotParts): Snapshotter {
  const options = { root: layout.snapshots, ...parts };
  return name === "overlay" ? overlaySnapshotter(options) : copySnapshotter(options);
}

async function pinCommitted(meta: MetaDb, pins: Pins, names: readonly string[]): Promise<void> {
  await pins.pin(names.map((name) => `snapshot:${name}` as const));
  const gone = names.find((name) => meta.snapshots.get(name)?.kind !== "committed");
  if (gone !== undefined) throw new TbuildError("not_found", `Cannot use snapshot "${gone}": no such snapshot`);
}

function accessError(error: unknown, root: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return fromSystemError(error);
  return new TbuildError("permission_denied", `Cannot open store "${root}": no permission to write there`, {
    hint: "Use --root to choose another place",
    cause: error,
  });
}
