import type { UsageRecord } from "../../cache/usage.js";
import type { ReadField } from "../daemon/filter.js";

/** The fields of what takes space by which users choose. Source: BuildKit, cache/manager.go adaptUsageInfo() */
export function usageFields(record: UsageRecord): ReadField {
  const { id, parent, description, inUse, shared } = record;
  const mutable = isDirectory(record.type);
  const texts: Readonly<Record<string, string>> = { id, parents: parentsOf(parent).join(";"), description, type: recordType(record) };
  const flags: Readonly<Record<string, boolean>> = { inuse: inUse, mutable, immutable: !mutable, shared, private: !shared };
  return (field) => texts[field] || (flags[field] === true ? "" : null);
}

/** A record's type by BuildKit's names, which has none for images and blobs: they count as regular ones. */
export function recordType({ type }: Pick<UsageRecord, "type">): string {
  return type === "image" || type === "blob" ? "regular" : type;
}

/** Whether things of a type change while they are used. */
export function isDirectory(type: UsageRecord["type"]): boolean {
  return type === "exec.cachemount" || type === "source.local";
}

/** Ids of the records that a record stands on. */
export function parentsOf(parent: string | null): readonly string[] {
  return parent === null ? [] : [`snapshot:${parent}`];
}
