import { statfsSync } from "node:fs";
import { collect, usedBytes } from "../../cache/collect.js";
import type { Opts } from "../../cache/content/store.js";
import { bytesToKeep } from "../../cache/gcRules.js";
import { isDangling } from "../../cache/images.js";
import type { PruneResult } from "../../cache/prune.js";
import type { Store } from "../../cache/store.js";
import type { GcPolicy } from "../config.js";
import { removeDangling } from "../removeDangling.js";
import { gcRules } from "./rules.js";

/**
 * Removes what the policies do not leave. When the store is still above what a policy for `all` leaves, images that have lost their
 * name go as well.
 */
export async function collectGarbage(store: Store, policies: readonly GcPolicy[], opts: Opts = {}): Promise<PruneResult> {
  const rules = gcRules(policies, store.root);
  const first = await collect(store, rules, opts);
  const everything = rules.filter((_, index) => policies[index]!.all);
  if (everything.length === 0 || !hasDangling(store) || !(await isOver(store, everything))) return first;
  await removeDangling(store);
  const second = await collect(store, rules, opts);
  return { removed: [...first.removed, ...second.removed], freedBytes: first.freedBytes + second.freedBytes };
}

async function isOver(store: Store, rules: ReturnType<typeof gcRules>): Promise<boolean> {
  const used = await usedBytes(store);
  const { bavail, bsize } = statfsSync(store.root);
  return rules.some((rule) => used > (bytesToKeep(rule, used, bavail * bsize) ?? Infinity));
}

function hasDangling({ images }: Pick<Store, "images">): boolean {
  return images.list().some(isDangling);
}
