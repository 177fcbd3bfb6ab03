import { statfsSync } from "node:fs";
import { removeResumable } from "./content/diskStore.js";
import type { Opts } from "./content/store.js";
import { decideByRules, type GcRule, type RuledDecision } from "./gcRules.js";
import { storeLayout } from "./layout.js";
import { metadataUsage } from "./metadataUsage.js";
import { type PruneResult, removePlanned } from "./prune.js";
import { diskUsage, type UsageOptions, type UsageRecord, type UsageStore } from "./usage.js";

/** A rule about what is in a store. */
export type StoreRule = GcRule<UsageRecord>;

/** What becomes of everything in the store by these rules, what goes first. Removes nothing. */
export async function collectionPlan(
  store: UsageStore,
  rules: readonly StoreRule[],
  { dangling = "held" }: UsageOptions = {},
): Promise<readonly RuledDecision<UsageRecord>[]> {
  const records = [...(await diskUsage(store, { dangling })), metadataUsage(store.root)];
  const inUse = new Set(records.filter((record) => record.inUse).map(({ id }) => id));
  const { bavail, bsize } = statfsSync(store.root);
  return decideByRules(records, rules, { inUse, now: Date.now(), free: bavail * bsize });
}

/** Bytes of all that is in the store, its metadata included. */
export async function usedBytes(store: UsageStore): Promise<number> {
  return (await diskUsage(store)).reduce((sum, { size }) => sum + size, metadataUsage(store.root).size);
}

/** Removes downloads that nobody goes on with. */
export function removeLeftDownloads({ root }: Pick<UsageStore, "root">): void {
  removeResumable(storeLayout(root).content);
}

/** Removes what the rules do not leave. As `prune`, safe beside builds of any process and against a kill at any instant. */
export async function collect(store: UsageStore, rules: readonly StoreRule[], opts: Opts = {}): Promise<PruneResult> {
  if (rules.length === 0) return { removed: [], freedBytes: 0 };
  const decisions = await collectionPlan(store, rules);
  const plan = decisions.flatMap(({ item, verdict }) => (verdict.kind === "remove" ? [item] : []));
  return await removePlanned(store, plan, opts);
}
