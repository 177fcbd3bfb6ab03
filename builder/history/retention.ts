import { blobsOfBuild } from "../../cache/buildRecords.js";
import type { BuildRecord } from "../../cache/meta/records.js";
import type { HistoryConfig } from "../config.js";

/** Which records of builds stay. */
export interface Retention {
  /** Those younger than this stay, however many there are. */
  readonly maxAgeMs: number;
  /** As many of the youngest stay, however old they are. */
  readonly maxEntries: number;
  /** Bytes that the blobs of all records may take; beyond them the oldest go, however young they are. */
  readonly maxBytes: number;
}

/** Age and number as in BuildKit, which has no limit of bytes. */
export const defaultRetention: Retention = { maxAgeMs: 48 * 3_600_000, maxEntries: 50, maxBytes: 2 ** 30 };

/** What a configuration asks for; the rest is the default. */
export function retentionOf({ maxAgeMs, maxEntries, maxBytes }: HistoryConfig): Retention {
  return {
    maxAgeMs: maxAgeMs ?? defaultRetention.maxAgeMs,
    maxEntries: maxEntries ?? defaultRetention.maxEntries,
    maxBytes: maxBytes ?? defaultRetention.maxBytes,
  };
}

/** The records that are to go. Those that are pinned never are, and the youngest stays. `now` in milliseconds since the epoch. */
export function expiredBuilds(records: readonly BuildRecord[], retention: Retention, now: number): readonly BuildRecord[] {
  const youngest = records.filter(({ pinned }) => !pinned).sort((a, b) => b.completedAt - a.completedAt);
  let bytes = 0;
  return youngest.filter((record, index) => {
    bytes += blobsOfBuild(record).reduce((sum, { size }) => sum + size, 0);
    if (index > 0 && bytes > retention.maxBytes) return true;
    return index >= retention.maxEntries && now - record.completedAt > retention.maxAgeMs;
  });
}
