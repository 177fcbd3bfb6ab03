import type { BulkPool } from "./bulk/pool.js";
import type { FileContentStore } from "./content/store.js";
import type { MetaDb } from "./meta/db.js";
import type { Snapshotter } from "./snapshot/snapshotter.js";

/** Options of `openStore`. */
export interface StoreOptions {
  /** Absolute path; created when missing. */
  readonly root: string;
  /** Default "auto": overlay where the kernel lets us, else copy. */
  readonly snapshotter?: "auto" | "overlay" | "copy";
}

/**
 * Everything at rest under one root, opened by one process. Many processes may open one root. Opening recovers what
 * dead processes left behind; disposing releases the lease and removes this process's temporary files and mounts.
 */
export interface Store extends AsyncDisposable {
  readonly root: string;
  readonly content: FileContentStore;
  readonly snapshots: Snapshotter;
  readonly snapshotterName: "overlay" | "copy";
  readonly meta: MetaDb;
  readonly bulk: BulkPool;
  /** Id of this process's lease. */
  readonly lease: string;
  /** This process's directory for mount points, bundles and runc state; on no other process's mind until we die. */
  readonly scratch: string;
}
