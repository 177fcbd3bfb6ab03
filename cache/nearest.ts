import type { CacheRecord, KeyParts } from "./meta/records.js";

/** Shared name, op and attributes count in this order; less than half of the attributes in common is no resemblance. */
const NAME_WEIGHT = 4;
const OP_WEIGHT = 2;

/**
 * The record whose parts resemble `parts` most: the same display name before the same op before common attributes and
 * inputs, the youngest of equals. Null when neither the name nor half of the attributes agree.
 */
export function nearestRecord(
  parts: KeyParts,
  records: Iterable<readonly [string, CacheRecord]>,
): CacheRecord | null {
  let best: { readonly score: number; readonly record: CacheRecord } | null = null;
  for (const [, record] of records) {
    const score = resemblance(parts, record.parts);
    if (score === 0 || (best !== null && score < best.score)) continue;
    if (best === null || score > best.score || record.createdAt > best.record.createdAt) best = { score, record };
  }
  return best?.record ?? null;
}

function resemblance(a: KeyParts, b: KeyParts): number {
  const attributes = share(Object.entries(a.attributes), ([name, value]) => b.attributes[name] === value);
  if (a.name !== b.name && attributes < 0.5) return 0;
  const inputs = share(a.inputs, ({ key }, i) => b.inputs[i]?.key === key);
  return (a.name === b.name ? NAME_WEIGHT : 0) + (a.op === b.op ? OP_WEIGHT : 0) + attributes + inputs;
}

function share<T>(items: readonly T[], holds: (item: T, i: number) => boolean): number {
  return items.length === 0 ? 0 : items.filter(holds).length / items.length;
}
