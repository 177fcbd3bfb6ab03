import type { Digest } from "../../cache/oci/digest.js";
import { DAY_MS, KEPT_MS } from "./cacheAges.js";
import { mountBlobs, type SharedMount } from "./sharedMounts.js";

/** With the layers of a cache these have to fit into a manifest. The mounts that were exported longest ago are left out. */
const MAX_BLOBS = 8_000;

/** See MergeOptions. */
export interface MountMerge {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly lost: ReadonlySet<Digest>;
}

/**
 * `theirs` with `ours`, whose content counts for a mount that both have. One that is the same keeps its time for a day, so that the same
 * mounts make the same cache. Pure.
 */
export function mergeMounts(theirs: readonly SharedMount[], ours: readonly SharedMount[], { now, lost }: MountMerge): readonly SharedMount[] {
  const mounts = new Map(theirs.filter((mount) => !mountBlobs([mount]).some(({ digest }) => lost.has(digest))).map((mount) => [mount.key, mount]));
  for (const mount of ours) {
    const before = mounts.get(mount.key);
    if (before === undefined || !isSame(before, mount) || now - Date.parse(before.createdAt) >= DAY_MS) mounts.set(mount.key, mount);
  }
  const young = [...mounts.values()].filter(({ createdAt }) => now - Date.parse(createdAt) < KEPT_MS);
  let blobs = 0;
  const newestFirst = young.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  const kept = new Set(newestFirst.filter((mount) => (blobs += mountBlobs([mount]).length) <= MAX_BLOBS));
  return young.filter((mount) => kept.has(mount));
}

function isSame(a: SharedMount, b: SharedMount): boolean {
  return a.bytes === b.bytes && JSON.stringify(mountBlobs([a])) === JSON.stringify(mountBlobs([b]));
}
