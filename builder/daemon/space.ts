import { collect, removeLeftDownloads } from "../../cache/collect.js";
import type { Store } from "../../cache/store.js";
import { diskUsage, type UsageRecord } from "../../cache/usage.js";
import type { DiskUsageRequest, PruneRequest, UsageRecordInput } from "../api/control.js";
import { isDirectory, parentsOf, recordType, usageFields } from "../gc/fields.js";
import { removeDangling } from "../removeDangling.js";
import { parseFilters } from "./filter.js";

/** What takes space in the store besides its images and metadata, which are no cache, by BuildKit's names. `ageLimit` in nanoseconds: only what was not used that long. */
export async function usageRecords(store: Store, { filter, ageLimit }: DiskUsageRequest): Promise<readonly UsageRecordInput[]> {
  const matches = parseFilters(filter);
  const youngest = ageLimit > 0 ? Date.now() - ageLimit / 1e6 : Infinity;
  const records = await diskUsage(store);
  return records
    .filter(({ type, inImage, lastUsedAt }) => type !== "internal" && !inImage && lastUsedAt <= youngest)
    .filter((record) => matches(usageFields(record)))
    .map(toRecord);
}

/** Removes what the request wants gone, and answers what went. `all` lets go of images that have lost their name as well. */
export async function pruneStore(store: Store, request: PruneRequest, signal: AbortSignal): Promise<readonly UsageRecordInput[]> {
  const { all, filter, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace } = request;
  const lets = parseFilters(filter);
  if (all) await removeDangling(store);
  if (filter.length === 0) removeLeftDownloads(store);
  const rule = {
    matches: filter.length === 0 ? null : (record: UsageRecord) => lets(usageFields(record)),
    keepDurationMs: keepDuration / 1e6,
    reservedBytes: reservedSpace,
    maxUsedBytes: maxUsedSpace,
    minFreeBytes: minFreeSpace,
  };
  const { removed } = await collect(store, [rule], { signal });
  return removed.map(toRecord);
}

/** Records of images count as regular ones: BuildKit's clients know no others. */
function toRecord(record: UsageRecord): UsageRecordInput {
  const { id, type, inUse, shared, size, parent, createdAt, lastUsedAt, description } = record;
  return {
    id,
    mutable: isDirectory(type),
    inUse,
    shared,
    size,
    createdAt,
    lastUsedAt,
    usageCount: 1,
    description,
    recordType: recordType(record),
    parents: parentsOf(parent),
  };
}
