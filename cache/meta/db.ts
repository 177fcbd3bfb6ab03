import type { BuildRecord, CacheRecord, ImageRecord, LayerRecord } from "./records.js";

/** A typed table of the metadata database. Reads see every committed write of every process. Writes outlive the process when they resolve. */
export interface Table<V> {
  get(key: string): V | undefined;
  put(key: string, value: V): Promise<void>;
  remove(key: string): Promise<void>;
  /** All entries, or those whose key starts with `prefix`, in key order. */
  entries(prefix?: string): Iterable<readonly [string, V]>;
}

/** The metadata database, safe for many processes (lmdb). */
export interface MetaDb extends AsyncDisposable {
  /** Absolute path of the environment, for worker threads that open it themselves. */
  readonly path: string;
  readonly snapshots: Table<SnapshotRecord>;
  readonly layers: Table<LayerRecord>;
  readonly images: Table<ImageRecord>;
  /** Cache key → record. Several keys may lead to records with the same outputs. */
  readonly index: Table<CacheRecord>;
  /** `<snapshot>\0<selector hash>` → content digest of that selection of an immutable snapshot. */
  readonly contentKeys: Table<string>;
  /** Builds of clients that have ended, by their ref. */
  readonly builds: Table<BuildRecord>;
  /** Runs `body` with no other writer of any process between its reads and writes; all or nothing. */
  transaction<T>(body: (tx: MetaTx) => T): Promise<T>;
}

/** Synchronous view of the tables inside {@link MetaDb.transaction}. */
export interface MetaTx {
  readonly snapshots: SyncTable<SnapshotRecord>;
  readonly layers: SyncTable<LayerRecord>;
  readonly images: SyncTable<ImageRecord>;
  readonly index: SyncTable<CacheRecord>;
  readonly contentKeys: SyncTable<string>;
  readonly builds: SyncTable<BuildRecord>;
}

/** A table inside a transaction. */
export interface SyncTable<V> {
  get(key: string): V | undefined;
  put(key: string, value: V): void;
  remove(key: string): void;
  entries(prefix?: string): Iterable<readonly [string, V]>;
}

/** How a snapshotter remembers a snapshot. */
export interface SnapshotRecord {
  readonly kind: "active" | "committed";
  readonly parent: string | null;
  /** Name of the directory below `snapshots/`. */
  readonly id: string;
  /** Lease that owns an active snapshot; null once committed. */
  readonly lease: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** Bytes on disk of this snapshot's own changes; null until measured. */
  readonly size: number | null;
  /** Only declared: there is no directory yet. */
  readonly absent?: true;
  /** See CommitOptions. */
  readonly standalone?: true;
}
