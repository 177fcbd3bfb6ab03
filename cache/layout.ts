import path from "node:path";

/** Where things are below a store's root. All paths absolute. */
export interface StoreLayout {
  readonly root: string;
  /** Holds the number of the on-disk format. */
  readonly version: string;
  readonly meta: string;
  readonly content: string;
  /** One directory per snapshot, named by SnapshotRecord.id. */
  readonly snapshots: string;
  /** One `<lease>.lock` per process, and its `<lease>.pins`. */
  readonly leases: string;
  /** Directories of `RUN --mount=type=cache`; see cacheMounts.ts. */
  readonly cacheMounts: string;
  /** Copies of directories of clients; see localCopies.ts. */
  readonly localCopies: string;
  /** One scratch directory per lease. */
  readonly mounts: string;
}

/** The layout of the store at `root`. */
export function storeLayout(root: string): StoreLayout {
  const at = (name: string) => path.join(root, name);
  return {
    root,
    version: at("version"),
    meta: at("meta.lmdb"),
    content: at("content"),
    snapshots: at("snapshots"),
    leases: at("leases"),
    cacheMounts: at("cachemounts"),
    localCopies: at("localcopies"),
    mounts: at("mounts"),
  };
}
