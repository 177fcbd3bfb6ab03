import { randomUUID } from "node:crypto";
import { TbuildError, hasCode } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { ApartOutput, ApplyOutput } from "../../cache/bulk/layerJobs.js";
import type { Mount } from "../../cache/snapshot/snapshotter.js";
import { applyBlob, type PackedLayer, type ReportOptions } from "./applyBlob.js";
import { stackApart, unpackApart } from "./unpackApart.js";

/** Options of {@link unpackLayers}. */
export interface UnpackOptions extends ReportOptions {
  /** Brings a blob into the content store; may be called for several layers at a time. */
  readonly fetch: (layer: Descriptor) => Promise<void>;
}

/**
 * Snapshot of an image's file system, null when it has no layers. Layers base first; each is fetched and unpacked, and
 * those that are here already are neither. Where snapshots hold only their changes, a layer is unpacked as soon as it has
 * come, beside those below it. Two processes may unpack one image at the same time.
 * @throws {TbuildError} corrupt when a layer is not what the config says, and what `fetch` throws
 */
export async function unpackLayers(store: Store, layers: readonly PackedLayer[], options: UnpackOptions): Promise<string | null> {
  const chain = layerSnapshots(layers);
  const present = await presentLayers(store, chain);
  await unpackSnapshots(store, chain.slice(present), options);
  return chain.at(-1)?.name ?? null;
}

/** A layer, and the snapshot that it is unpacked to. */
export interface LayerSnapshot extends PackedLayer {
  readonly name: string;
  readonly parent: string | null;
}

/** The snapshots of an image's layers, base first. */
export function layerSnapshots(layers: readonly PackedLayer[]): readonly LayerSnapshot[] {
  const names = chainIds(layers.map(({ diffId }) => diffId));
  return layers.map((layer, at) => ({ ...layer, name: names[at]!, parent: at === 0 ? null : names[at - 1]! }));
}

/** Fetches and unpacks layers, each on its parent; see {@link unpackLayers}. */
export async function unpackSnapshots(store: Store, layers: readonly LayerSnapshot[], options: UnpackOptions): Promise<void> {
  const arriving = layers.map((layer) => arrive(store, layer, options));
  for (const { unpacked } of arriving) unpacked.catch(() => {}); // awaited below, in order
  try {
    for (const layer of arriving) await finishLayer(store, layer, options);
  } finally {
    await Promise.allSettled(arriving.map(({ unpacked }) => unpacked));
    for (const { key } of arriving) await store.snapshots.remove(key);
  }
}

/** A layer on its way into an active snapshot of its own. */
interface ArrivingLayer {
  readonly layer: LayerSnapshot;
  readonly key: string;
  /** Null when it has to wait for the layers below; it is fetched then. */
  readonly unpacked: Promise<ApartOutput | null>;
}

function arrive(store: Store, layer: LayerSnapshot, options: UnpackOptions): ArrivingLayer {
  const key = `unpack-${randomUUID()}`;
  const fetched = options.fetch(layer.blob);
  const unpacked = fetched.then(() => (store.snapshots.stack === undefined ? null : unpackApart(store, key, layer, options)));
  return { layer, key, unpacked };
}

async function finishLayer(store: Store, { layer, key, unpacked }: ArrivingLayer, options: ReportOptions): Promise<void> {
  const applied = await unpacked;
  if (applied === null) return await unpackLayer(store, layer, options);
  if (layer.parent !== null) await stackApart(store, key, layer.parent, applied, options);
  await commitLayer(store, key, layer, applied);
}

/** Names of an image's snapshots, base first. */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) chain.push(chainId(chain.at(-1) ?? null, diffId));
  return chain;
}

/** The name of the snapshot that a layer makes of its parent. Source: OCI image-spec config.md "Layer ChainID". */
export function chainId(parent: string | null, diffId: Digest): Digest {
  return parent === null ? diffId : digestOf(`${parent} ${diffId}`);
}

/** How many layers, counted from the base, are here; they are kept from prunes. One that is here has all its parents here. */
async function presentLayers(store: Store, layers: readonly LayerSnapshot[]): Promise<number> {
  for (let count = layers.length; count > 0; count--) {
    const { name } = layers[count - 1]!;
    if ((await pinned(store, [name])) && (await store.snapshots.stat(name)).here) return count;
  }
  return 0;
}

/** Whether all of these snapshots are there. Each is kept from prunes then, or as soon as it is. */
export async function pinned(store: Store, names: readonly string[]): Promise<boolean> {
  try {
    await store.pin(names);
    return true;
  } catch (error) {
    if (hasCode(error, "not_found")) return false;
    throw error;
  }
}

async function unpackLayer(store: Store, layer: LayerSnapshot, options: ReportOptions): Promise<void> {
  await withActive(store, layer.parent, async (key, mount) => {
    await commitLayer(store, key, layer, await applyBlob(store, "applyLayer", mount, layer.blob, options));
  });
}

async function commitLayer(store: Store, key: string, { name, ...layer }: LayerSnapshot, { diffId, size }: ApplyOutput): Promise<void> {
  if (diffId !== layer.diffId) throw wrongDiffId(layer, diffId);
  // Written before the commit: a snapshot of this name without its record would be packed anew, into other bytes.
  await store.meta.layers.put(name, { diffId, size, empty: false, blobs: [layer.blob] });
  await commitOnce(store, name, key);
}

/**
 * Unpacks the tar of a root file system, compressed or not. Returns the name of its snapshot, which has no layer record: the
 * layer is packed anew from the files, since not every tar that can be imported may stand in an image.
 */
export async function unpackRootfs(store: Store, blob: Descriptor, options: ReportOptions): Promise<string> {
  const name = `import-${blob.digest}`;
  if (await pinned(store, [name])) return name;
  await withActive(store, null, async (key, mount) => {
    await applyBlob(store, "applyLayer", mount, blob, options);
    await commitOnce(store, name, key);
  });
  return name;
}

/** Runs `body` with a writable snapshot, which is gone afterwards unless it was committed. */
async function withActive(
  store: Store,
  parent: string | null,
  body: (key: string, mount: Mount) => Promise<void>,
): Promise<void> {
  const key = `unpack-${randomUUID()}`;
  const mount = await store.snapshots.prepare(key, parent);
  try {
    await body(key, mount);
  } finally {
    await store.snapshots.remove(key);
  }
}

/** Another process may have committed the same layer meanwhile. */
async function commitOnce(store: Store, name: string, key: string): Promise<void> {
  try {
    await store.snapshots.commit(name, key);
  } catch (error) {
    if (!hasCode(error, "already_exists")) throw error;
    await store.pin([name]);
  }
}

function wrongDiffId({ blob, diffId }: PackedLayer, got: Digest): TbuildError {
  return new TbuildError("corrupt", `Cannot unpack layer ${blob.digest}: its diff ID is ${got}, the config says ${diffId}`);
}
