import path from "node:path";
import { removeIngestsOf, removeLostLocks } from "./content/diskStore.js";
import type { BlobStore } from "./deleteBlobs.js";
import { storeLayout } from "./layout.js";
import { leaseIds, removeScratch, tryTakeOver } from "./lease.js";
import { releaseOwnFile } from "./lockFile.js";
import type { MetaDb, SnapshotRecord } from "./meta/db.js";
import { removePins } from "./pins.js";
import { discard, sweepSnapshots } from "./snapshot/directories.js";
import { freeTemporaryBlobs } from "./temporaryBlobs.js";

/** What {@link recover} works on. */
export interface RecoveryParts {
  readonly root: string;
  readonly meta: MetaDb;
  readonly content: BlobStore["content"];
  /** Deletes a directory tree of any size. */
  readonly removeTree: (path: string) => Promise<void>;
  /** Ends what still runs in the scratch directory of a dead process, before its mounts go. */
  readonly cleanScratch?: ((scratch: string) => Promise<void>) | undefined;
}

/** What became of one dead process's lease. After an `error` it is left as it is for a later try. */
export type Recovered =
  | { readonly lease: string; readonly state: "cleaned" }
  | { readonly lease: string; readonly state: "left"; readonly error: unknown };

/**
 * Removes what dead processes left: containers, mounts, unfinished writes and snapshots, pins, and directories that no
 * record names. Costs one flock per other process when there is nothing to do. Several processes may run it at once:
 * a lease is cleaned by the one that can lock it, and its file goes last, so that an interrupted recovery starts again.
 */
export async function recover(parts: RecoveryParts): Promise<readonly Recovered[]> {
  const recovered: Recovered[] = [];
  for (const lease of leaseIds(parts.root)) {
    const lock = tryTakeOver(parts.root, lease);
    if (lock === null) continue;
    try {
      await cleanLease(parts, lease);
      releaseOwnFile(lock);
      recovered.push({ lease, state: "cleaned" });
    } catch (error) {
      lock[Symbol.dispose]();
      recovered.push({ lease, state: "left", error });
    }
  }
  return recovered;
}

async function cleanLease(parts: RecoveryParts, lease: string): Promise<void> {
  const { root, meta, removeTree, cleanScratch } = parts;
  const { mounts, content, snapshots } = storeLayout(root);
  const scratch = path.join(mounts, lease);
  await cleanScratch?.(scratch);
  await freeTemporaryBlobs(parts, { lease, scratch });
  removeScratch(scratch);
  removeIngestsOf(content, lease);
  removeLostLocks(content);
  await removeActiveSnapshots(parts, lease);
  await sweepSnapshots({ root: snapshots, meta, removeTree });
  removePins(root, lease);
}

// Files first: on a full disk there may be no room to write that they are gone.
async function removeActiveSnapshots({ root, meta, removeTree }: RecoveryParts, lease: string): Promise<void> {
  const isLost = ({ kind, lease: owner }: SnapshotRecord) => kind === "active" && owner === lease;
  const lost = [...meta.snapshots.entries()].filter(([, record]) => isLost(record));
  for (const [, { id }] of lost) await discard({ root: storeLayout(root).snapshots, removeTree }, id);
  await meta.transaction((tx) => {
    for (const [key] of lost) tx.snapshots.remove(key);
  });
}
