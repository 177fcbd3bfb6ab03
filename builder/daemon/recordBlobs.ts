import { blobsOfBuild } from "../../cache/buildRecords.js";
import type { Store } from "../../cache/store.js";
import type { UsageRecordInput } from "../api/control.js";

/** Leaves out what the history of builds keeps: clients wait for an empty list after they have pruned all, and cannot prune that. */
export function withoutRecordBlobs({ meta }: Pick<Store, "meta">, records: readonly UsageRecordInput[]): readonly UsageRecordInput[] {
  const kept = new Set([...meta.builds.entries()].flatMap(([, build]) => blobsOfBuild(build).map(({ digest }) => `blob:${digest}`)));
  return records.filter(({ id = "" }) => !kept.has(id));
}
