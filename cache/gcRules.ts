import { decide, type Decision, type GcItem } from "./gc.js";

/** How much a rule leaves, in bytes; 0 is no such limit. */
export interface SpaceTargets {
  /** What may always stay. */
  readonly reservedBytes: number;
  /** Above this, things go. */
  readonly maxUsedBytes: number;
  /** Things go until so much of the file system is free. */
  readonly minFreeBytes: number;
}

/** One rule of collection; without any limit of space all goes that is old enough. */
export interface GcRule<T> extends SpaceTargets {
  /** Milliseconds. */
  readonly keepDurationMs: number;
  /** What the rule is about; null: everything. A rule that is about some things counts them alone. */
  readonly matches: ((item: T) => boolean) | null;
}

/** Bytes that may stay of `used`; null: nothing need stay. `free` in bytes. Source: BuildKit, cache/manager.go calculateKeepBytes() */
export function bytesToKeep({ reservedBytes, maxUsedBytes, minFreeBytes }: SpaceTargets, used: number, free: number): number | null {
  if (reservedBytes === 0 && maxUsedBytes === 0 && minFreeBytes === 0) return null;
  const most = maxUsedBytes > 0 ? maxUsedBytes : minFreeBytes > 0 ? used : 0;
  const missing = minFreeBytes - free;
  return Math.max(missing > 0 ? Math.min(most === 0 ? used : most, used - missing) : most, reservedBytes);
}

/** A decision with the number of the rule that made it, from 0. */
export interface RuledDecision<T> extends Decision<T> {
  readonly rule: number;
}

/** What rules look at. */
export interface Scene {
  readonly inUse: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Free bytes of the file system. */
  readonly free: number;
}

/**
 * What becomes of every item when the rules are obeyed one after the other, each looking at what those before have left. What
 * goes comes first, in the order in which it must go. Pure.
 */
export function decideByRules<T extends GcItem>(items: readonly T[], rules: readonly GcRule<T>[], scene: Scene): readonly RuledDecision<T>[] {
  const removed: RuledDecision<T>[] = [];
  let kept: readonly RuledDecision<T>[] = items.map((item) => ({ item, rule: -1, verdict: { kind: "not-meant" } }));
  let { free } = scene;
  for (const [rule, terms] of rules.entries()) {
    const left = kept.map(({ item }) => item);
    const decisions = obey(left, terms, { ...scene, free });
    const before = new Map(kept.map((decision) => [decision.item.id, decision]));
    const staying: RuledDecision<T>[] = [];
    for (const { item, verdict } of decisions) {
      const ruled = { item, verdict, rule };
      if (verdict.kind === "remove") {
        removed.push(ruled);
        free += item.size;
      } else staying.push(verdict.kind === "not-meant" ? (before.get(item.id) ?? ruled) : ruled);
    }
    kept = staying;
  }
  return [...removed, ...kept];
}

function obey<T extends GcItem>(items: readonly T[], rule: GcRule<T>, { inUse, now, free }: Scene): readonly Decision<T>[] {
  const counted = rule.matches === null ? items : items.filter(rule.matches);
  const used = counted.reduce((sum, { size }) => sum + size, 0);
  const policy = { keepBytes: bytesToKeep(rule, used, free) ?? undefined, keepDurationMs: rule.keepDurationMs };
  return decide(items, { inUse, now, policy, used, mayRemove: rule.matches ?? undefined });
}
