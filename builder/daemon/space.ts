import { statfsSync } from "node:fs";
import { prune } from "../../cache/prune.js";
import type { Store } from "../../cache/store.js";
import { diskUsage, type UsageRecord } from "../../cache/usage.js";
import type { DiskUsageRequest, PruneRequest, UsageRecordInput } from "../api/control.js";
import { removeDangling } from "../removeDangling.js";
import { parseFilters, type ReadField } from "./filter.js";

/** What takes space in the store besides images and records of builds, which are no cache, by BuildKit's names. `ageLimit` in nanoseconds: only what was not used that long. */
export async function usageRecords(store: Store, { filter, ageLimit }: DiskUsageRequest): Promise<readonly UsageRecordInput[]> {
  const matches = parseFilters(filter);
  const youngest = ageLimit > 0 ? Date.now() - ageLimit / 1e6 : Infinity;
  const records = await diskUsage(store);
  return records.filter(({ inImage, inRecord, lastUsedAt }) => !inImage && !inRecord && lastUsedAt <= youngest).map(toRecord).filter((record) => matches(fieldsOf(record)));
}

/** Removes what the request wants gone, and answers what went. `all` lets go of images that have lost their name as well. */
export async function pruneStore(store: Store, request: PruneRequest, signal: AbortSignal): Promise<readonly UsageRecordInput[]> {
  const matches = parseFilters(request.filter);
  if (request.all) await removeDangling(store);
  const { removed } = await prune(store, {
    keepBytes: await keepBytes(store, request),
    keepDurationMs: request.keepDuration > 0 ? request.keepDuration / 1e6 : undefined,
    filter: (record) => matches(fieldsOf(toRecord(record))),
    signal,
  });
  return removed.map(toRecord);
}

/** Bytes that may stay; undefined: nothing need stay. Source: BuildKit, cache/manager.go calculateKeepBytes() */
async function keepBytes(store: Store, { reservedSpace, maxUsedSpace, minFreeSpace }: PruneRequest): Promise<number | undefined> {
  if (reservedSpace === 0 && maxUsedSpace === 0 && minFreeSpace === 0) return undefined;
  const used = (await diskUsage(store)).reduce((sum, { size }) => sum + size, 0);
  const { bavail, bsize } = statfsSync(store.root);
  const missing = minFreeSpace - bavail * bsize;
  const most = maxUsedSpace === 0 ? used : maxUsedSpace;
  const keep = missing > 0 ? Math.min(most, used - missing) : most;
  // With a reserve alone, all above it goes.
  return maxUsedSpace === 0 && minFreeSpace === 0 ? reservedSpace : Math.max(keep, reservedSpace);
}

/** Records of images count as regular ones: BuildKit's clients know no others. */
function toRecord({ id, type, inUse, shared, size, parent, createdAt, lastUsedAt, description }: UsageRecord): UsageRecordInput {
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
    recordType: isDirectory(type) ? type : "regular",
    parents: parent === null ? [] : [`snapshot:${parent}`],
  };
}

function isDirectory(type: UsageRecord["type"]): boolean {
  return type === "exec.cachemount" || type === "source.local";
}

/** Source: BuildKit, cache/manager.go adaptUsageInfo() */
function fieldsOf({ id = "", parents = [], description = "", inUse, mutable, recordType = "", shared }: UsageRecordInput): ReadField {
  const texts: Readonly<Record<string, string>> = { id, parents: parents.join(";"), description, type: recordType };
  const flags: Readonly<Record<string, boolean>> = {
    inuse: inUse === true,
    mutable: mutable === true,
    immutable: mutable !== true,
    shared: shared === true,
    private: shared !== true,
  };
  return (field) => texts[field] || (flags[field] === true ? "" : null);
}
