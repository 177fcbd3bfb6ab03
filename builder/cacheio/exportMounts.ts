import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type CacheMountInfo, lockCacheMount } from "../../cache/cacheMounts.js";
import { cancelled } from "../../cache/errors.js";
import { formatBytes } from "../../cache/formatBytes.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { Lock } from "../../cache/sys/lock.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { PushBlob } from "../registry/pushBlob.js";
import type { Warn } from "../warnOnce.js";
import type { CacheTarget } from "./backend.js";
import { chosenIds, chosenMounts, mountKeyOf, unknownIds } from "./chosenMounts.js";
import type { MountOptions } from "./mountOptions.js";
import { type PackedDirectory, packDirectory } from "./packDirectory.js";
import { mountBlobs, type SharedMount } from "./sharedMounts.js";
import { cacheWarning } from "./warning.js";

/** What {@link mountPacker} works with. */
export interface MountPackerDeps {
  readonly store: Store;
  readonly warn: Warn;
  /** Ids of the cache mounts of the build's steps. */
  readonly ids: ReadonlySet<string>;
  /** When the build began, in milliseconds since the epoch. */
  readonly since: number;
  /** Blobs that turned out to be lost: nothing is built on them. */
  readonly lost: ReadonlySet<Digest>;
  readonly target: Pick<CacheTarget, "name" | "fetch">;
}

/** Mounts as they go into a cache, and every blob of them that it does not have. */
export interface PackedMounts {
  readonly mounts: readonly SharedMount[];
  readonly blobs: readonly PushBlob[];
}

/** Packs the cache mounts of one build. Disposing removes what was packed, which must have been written by then. */
export interface MountPacker extends AsyncDisposable {
  /** What is to be added to a cache that has `theirs`. What was packed for equal ones is not packed again. */
  pack(theirs: readonly SharedMount[], opts: StepOpts): Promise<PackedMounts>;
}

/** Nothing is packed yet. Mounts that cannot be exported give a warning. */
export function mountPacker(deps: MountPackerDeps, options: MountOptions): MountPacker {
  const { store, ids, since, lost, target, warn } = deps;
  const held = store.temporary.hold();
  const done = new Map<string, { readonly basis: SharedMount | null; readonly packed: PackedDirectory | null }>();
  for (const id of unknownIds(ids, options)) warnOf(deps, id, "no step of the build mounts it");
  const packOnce = async (mount: CacheMountInfo, theirs: SharedMount | undefined, opts: StepOpts): Promise<PackedDirectory | null> => {
    const isLost = theirs !== undefined && mountBlobs([theirs]).some(({ digest }) => lost.has(digest));
    const basis = isLost ? null : (theirs ?? null);
    const before = done.get(mount.name);
    if (before !== undefined && before.basis?.tree.digest === basis?.tree.digest) return before.packed;
    const packed = await packMount(deps, mount, { maxBytes: options.maxBytes, basis, held, fetch: (blob) => target.fetch(blob, opts) }, opts);
    done.set(mount.name, { basis, packed });
    return packed;
  };
  return {
    async pack(theirs, opts) {
      const packed: PackedDirectory[] = [];
      for (const mount of chosenMounts(store.root, chosenIds(ids, options), since)) {
        const one = await packOnce(mount, theirs.find(({ key }) => key === mountKeyOf(mount)), opts).catch((error: unknown) => {
          if (opts.signal.aborted) throw error;
          warn([cacheWarning(`Cannot export the cache mount "${mount.id}" to "${target.name}"`, error)]);
          return null;
        });
        if (one !== null) packed.push(one);
      }
      return { mounts: packed.map(({ mount }) => mount), blobs: packed.flatMap(({ blobs }) => blobs) };
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}

type Packing = Parameters<typeof packDirectory>[2];

/** Null for a mount that is left as it is. */
async function packMount(deps: MountPackerDeps, mount: CacheMountInfo, packing: Packing, opts: StepOpts): Promise<PackedDirectory | null> {
  using lock = await lockToRead(deps.store.root, mount, opts);
  if (lock === null) {
    if (existsSync(mount.path)) warnOf(deps, mount.id, "other builds use it");
    return null;
  }
  const found = await packDirectory(deps.store, mount, packing, opts);
  if (found.kind === "too-large") {
    const hint = "Choose another mounts-max-size=, or leave it out with mounts=!ID";
    warnOf(deps, mount.id, `it has ${formatBytes(found.bytes)}, and no more than ${formatBytes(packing.maxBytes)} may go into a cache`, hint);
    return null;
  }
  if (found.leftOut > 0) warnOf(deps, mount.id, `${found.leftOut} of its files changed while they were read, and are left out`);
  return found.packed;
}

function warnOf({ warn, target }: MountPackerDeps, id: string, why: string, detail = ""): void {
  warn([{ rule: null, message: `Cannot export the cache mount "${id}" to "${target.name}": ${why}`, detail, url: null, at: null }]);
}

const POLL_MS = 50;
/** After so long one also reads beside others who share the mount: files that change meanwhile are noticed. */
const ALONE_MS = 2_000;
/** As long as one waits for a build that has it alone. */
const WAIT_MS = 30_000;

/** Null when others do not let go of it, or have removed it. */
async function lockToRead(root: string, { name, path }: CacheMountInfo, { signal }: StepOpts): Promise<Lock | null> {
  for (let waited = 0; ; waited += POLL_MS) {
    const lock = lockCacheMount(root, name, "exclusive") ?? (waited < ALONE_MS ? null : lockCacheMount(root, name, "shared"));
    if (lock !== null || waited >= WAIT_MS || !existsSync(path)) return lock;
    await delay(POLL_MS);
    if (signal.aborted) throw cancelled(signal);
  }
}
