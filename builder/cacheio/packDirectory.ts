import { existsSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import zlib from "node:zlib";
import type { PackMountOutput } from "../../cache/bulk/mountJobs.js";
import type { CacheMountInfo } from "../../cache/cacheMounts.js";
import { hasCode } from "../../cache/errors.js";
import { recordedDigest, recordedTree } from "../../cache/mountPack/mountRecord.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { HeldBlobs } from "../../cache/temporaryBlobs.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { PushBlob } from "../registry/pushBlob.js";
import { putBlob } from "../registry/resolve.js";
import { mountKeyOf } from "./chosenMounts.js";
import { packType, type SharedMount, treeType } from "./sharedMounts.js";

/** A mount as it goes into a cache. */
export interface PackedDirectory {
  readonly mount: SharedMount;
  /** Those that the basis does not have; they are in the content store. */
  readonly blobs: readonly PushBlob[];
}

/** How a directory is packed. */
export interface DirectoryPacking {
  readonly maxBytes: number;
  /** What a cache has of the mount, null for nothing that one could build on. */
  readonly basis: SharedMount | null;
  /** Brings a blob of the basis into the content store. */
  readonly fetch: (blob: Descriptor) => Promise<void>;
  /** Takes what is written to the content store. */
  readonly held: HeldBlobs;
}

/** What became of a directory. `packed` is null when there are no files in it. */
export type DirectoryPacked =
  | { readonly kind: "too-large"; readonly bytes: number }
  | { readonly kind: "packed"; readonly packed: PackedDirectory | null; readonly leftOut: number };

/** Times that a directory is looked through which changes meanwhile. */
const ATTEMPTS = 3;

/** Packs the directory of a mount that nobody changes meanwhile, or in which such changes are noticed. */
export async function packDirectory(store: Store, mount: CacheMountInfo, packing: DirectoryPacking, opts: StepOpts): Promise<DirectoryPacked> {
  const step = `packing cache mount ${mount.id}`;
  opts.report.status(step, 0, 0);
  for (let attempt = 1; ; attempt++) {
    try {
      return await packOnce(store, mount, packing, step, opts);
    } catch (error) {
      // Directories that vanish are changes too.
      if (attempt === ATTEMPTS || !hasCode(error, "unavailable")) throw error;
    } finally {
      opts.report.statusDone(step);
    }
  }
}

async function packOnce(store: Store, mount: CacheMountInfo, packing: DirectoryPacking, step: string, opts: StepOpts): Promise<DirectoryPacked> {
  const { basis, held, maxBytes } = packing;
  const scratch = [store.content.scratchPath(), store.content.scratchPath()] as const;
  const tree = await basisTree(store, mount, packing, opts);
  const packs = packSink(store, held, opts);
  try {
    const input = { path: mount.path, maxBytes, basis: tree === null ? null : { tree, packs: basis!.packs.length }, scratch };
    const onProgress = ({ bytes }: { readonly bytes: number }): void => opts.report.status(step, bytes, 0);
    const found = await store.bulk.run("packMount", input, { signal: opts.signal, onChunk: packs.add, onProgress });
    const made = await packs.done();
    if (found.kind === "too-large") return found;
    if (found.files <= 1) return { kind: "packed", packed: null, leftOut: found.leftOut };
    held.add(found.tree.digest);
    await store.content.adopt(scratch[0], found.tree.digest);
    return { kind: "packed", packed: packedDirectory(mount, found, basis, made), leftOut: found.leftOut };
  } finally {
    await packs.settled();
    for (const file of scratch) rmSync(file, { force: true });
  }
}

function packedDirectory(mount: CacheMountInfo, found: Extract<PackMountOutput, { kind: "packed" }>, basis: SharedMount | null, made: readonly Descriptor[]): PackedDirectory {
  const tree: Descriptor = { mediaType: treeType, ...found.tree };
  const packs = [...found.kept.map((index) => basis!.packs[index]!), ...made];
  const blobs = [tree, ...made].map((descriptor) => ({ descriptor, origin: null, fetch: async () => {} }));
  const createdAt = new Date().toISOString();
  return { mount: { key: mountKeyOf(mount), id: mount.id, bytes: found.bytes, createdAt, tree, packs }, blobs };
}

/** File of the basis's tree, which may be known from the last time; null when it cannot be had. */
async function basisTree(store: Store, mount: CacheMountInfo, { basis, fetch, held }: DirectoryPacking, { signal }: StepOpts): Promise<string | null> {
  if (basis === null) return null;
  if (recordedDigest(mount.path) === basis.tree.digest) return recordedTree(mount.path);
  held.add(basis.tree.digest);
  try {
    await fetch(basis.tree);
    const file = store.content.pathOf(basis.tree.digest);
    return existsSync(file) ? file : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

/** Packs that are compressed at a time. */
const AT_ONCE = 4;

/** Compresses packs side by side, and writes them to the content store. */
function packSink(store: Store, held: HeldBlobs, { signal }: StepOpts) {
  const all: Promise<Descriptor>[] = [];
  const running = new Set<Promise<unknown>>();
  const write = async (pack: Uint8Array): Promise<Descriptor> => {
    const bytes = await compress(pack);
    const digest = digestOf(bytes);
    held.add(digest);
    await putBlob(store.content, bytes, digest, { signal });
    return { mediaType: packType, digest, size: bytes.length };
  };
  return {
    async add(pack: Uint8Array): Promise<void> {
      const one = write(pack);
      all.push(one);
      const ended: Promise<boolean> = one.then(() => running.delete(ended), () => running.delete(ended));
      running.add(ended);
      if (running.size >= AT_ONCE) await Promise.race(running);
    },
    done: () => Promise.all(all),
    settled: () => Promise.allSettled(all),
  };
}

const gzip = promisify(zlib.gzip);
/** As layers: see decision 6. */
const LEVEL = 4;
const SAMPLE = 64 << 10;

/** What is compressed already, as most of what package managers keep, is only wrapped. */
async function compress(pack: Uint8Array): Promise<Buffer> {
  const middle = Math.max(0, (pack.length - SAMPLE) >> 1);
  const sample = pack.subarray(middle, middle + SAMPLE);
  const isDense = zlib.gzipSync(sample, { level: 1 }).length > sample.length * 0.95;
  return await gzip(pack, { level: isDense ? 0 : LEVEL });
}
