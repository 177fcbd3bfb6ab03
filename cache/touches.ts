import type { MetaDb } from "./meta/db.js";

const FLUSH_AFTER_MS = 60_000;

/** Tables whose records know when they were last used. */
export type TouchedTable = "index" | "snapshots";

/** Uses of records, written together: a cache hit must not cost a durable write. A crash loses the last minute of them. */
export interface Touches extends AsyncDisposable {
  /** Remembers that these records are used now; records that do not exist by the time of writing are passed over. */
  touch(table: TouchedTable, keys: readonly string[]): void;
}

/** Touches that are written when the last write is a minute ago, and on disposal. */
export function createTouches(meta: MetaDb): Touches {
  let pending = { index: new Set<string>(), snapshots: new Set<string>() };
  let flushedAt = Date.now();
  let flushing = Promise.resolve();

  const flush = () => {
    const touched = pending;
    pending = { index: new Set(), snapshots: new Set() };
    flushedAt = Date.now();
    flushing = flushing.then(() => write(meta, touched, Date.now()));
    return flushing;
  };

  return {
    touch(table, keys) {
      for (const key of keys) pending[table].add(key);
      // A failure is told again on disposal.
      if (Date.now() - flushedAt >= FLUSH_AFTER_MS) flush().catch(() => {});
    },
    [Symbol.asyncDispose]: flush,
  };
}

async function write(meta: MetaDb, touched: Readonly<Record<TouchedTable, Set<string>>>, now: number): Promise<void> {
  if (touched.index.size + touched.snapshots.size === 0) return;
  await meta.transaction((tx) => {
    for (const key of touched.index) {
      const record = tx.index.get(key);
      if (record !== undefined) tx.index.put(key, { ...record, lastUsedAt: now });
    }
    for (const key of touched.snapshots) {
      const record = tx.snapshots.get(key);
      if (record !== undefined) tx.snapshots.put(key, { ...record, lastUsedAt: now });
    }
  });
}
