import type { MetaDb } from "./meta/db.js";
import type { CacheRecord, KeyParts } from "./meta/records.js";
import { nearestRecord } from "./nearest.js";
import type { Pins } from "./pins.js";
import type { Ref } from "./ref.js";
import type { Touches } from "./touches.js";

/** Stored results by cache key; `R` is how the caller names a result. */
export interface CacheIndex<R> {
  /** The result stored under `key`, with the key that its consumers build on; null when there is none. */
  query(key: string): Promise<{ readonly canonical: string; readonly outputs: readonly R[] } | null>;
  /** Stores one result under all of `keys`. `parts` are kept to explain later misses. */
  save(keys: readonly string[], canonical: string, outputs: readonly R[], parts: KeyParts): Promise<void>;
}

/** The cache index of a store. A result that it returns is kept from every prune until the store is closed. */
export interface DiskIndex extends CacheIndex<Ref> {
  /** The stored record that resembles `parts` most, to explain why a step was not found; null when none does. */
  nearest(parts: KeyParts): CacheRecord | null;
}

/** What {@link diskIndex} works on. */
export interface IndexParts {
  readonly meta: MetaDb;
  readonly pins: Pins;
  readonly touches: Touches;
}

/** A record that was used a moment ago is not written again: collection goes by hours, and records can be large. */
const TOUCH_AFTER_MS = 600_000;

/** The index in the metadata database. */
export function diskIndex({ meta, pins, touches }: IndexParts): DiskIndex {
  return {
    async query(key) {
      const record = meta.index.get(key);
      if (record === undefined) return null;
      const names = snapshotsOf(record);
      await pins.pin(names.map((name) => `snapshot:${name}` as const));
      if (!names.every((name) => isCommitted(meta, name))) {
        await forget(meta, key, record);
        return null;
      }
      if (Date.now() - record.lastUsedAt > TOUCH_AFTER_MS) {
        touches.touch("index", [key]);
        touches.touch("snapshots", names);
      }
      return { canonical: record.canonical, outputs: record.outputs.map((name) => ({ kind: "snapshot", name })) };
    },

    async save(keys, canonical, outputs, parts) {
      const names = outputs.map(snapshotName);
      // A directory can change at any time, so that no key describes it.
      if (names.includes(undefined)) return;
      await pins.pin(names.filter((name) => typeof name === "string").map((name) => `snapshot:${name}` as const));
      const now = Date.now();
      const record: CacheRecord = {
        canonical,
        outputs: names.map((name) => name ?? null),
        createdAt: now,
        lastUsedAt: now,
        parts,
      };
      await Promise.all(keys.map((key) => meta.index.put(key, record)));
    },

    nearest: (parts) => nearestRecord(parts, meta.index.entries()),
  };
}

/** Names of the snapshots that a record leads to. */
export function snapshotsOf(record: CacheRecord): readonly string[] {
  return record.outputs.filter((name) => name !== null);
}

function snapshotName(ref: Ref): string | null | undefined {
  return ref.kind === "snapshot" ? ref.name : undefined;
}

function isCommitted(meta: MetaDb, name: string): boolean {
  return meta.snapshots.get(name)?.kind === "committed";
}

// Unless another process has stored a newer result under the key since it was read.
async function forget(meta: MetaDb, key: string, record: CacheRecord): Promise<void> {
  await meta.transaction((tx) => {
    const current = tx.index.get(key);
    if (current?.createdAt === record.createdAt && snapshotsOf(current).join() === snapshotsOf(record).join()) {
      tx.index.remove(key);
    }
  });
}
