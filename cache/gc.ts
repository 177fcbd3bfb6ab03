/** A thing that takes space, as garbage collection sees it. */
export interface GcItem {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number;
  /** Ids of what this item needs: a snapshot its parent and the blobs of its layer. Ids of no item are ignored. */
  readonly needs: readonly string[];
}

/** What may be removed, and when to stop. Without any limit everything goes that is not in use. */
export interface PrunePolicy {
  /** Stop as soon as no more than this many bytes are used. */
  readonly keepBytes?: number | undefined;
  /** Leave alone what was used within this many milliseconds. */
  readonly keepDurationMs?: number | undefined;
  /** Hard cap: go on past the other two limits until no more than this many bytes are used. Alone: remove nothing else. */
  readonly maxUsedBytes?: number | undefined;
}

/** All ids that can be reached from `roots`, the roots included. */
export function mark(roots: Iterable<string>, edges: (id: string) => readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const stack = [...roots];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    stack.push(...edges(id));
  }
  return reached;
}

/**
 * What to remove, in order: nothing that `inUse` has, nothing that `mayRemove` refuses, nothing that something kept
 * needs; least recently used first, and whatever needs a thing before the thing. Using an item uses what it needs.
 * Pure: `now` in milliseconds since the epoch.
 */
export function planPrune<T extends GcItem>(
  items: readonly T[],
  inUse: ReadonlySet<string>,
  policy: PrunePolicy,
  now: number,
  mayRemove: (item: T) => boolean = () => true,
): readonly T[] {
  const ordered = evictionOrder(items);
  const kept = new Set<string>();
  const removable = ordered.filter(({ item }) => {
    const removed = !kept.has(item.id) && !inUse.has(item.id) && mayRemove(item);
    if (!removed) for (const id of item.needs) kept.add(id);
    return removed;
  });
  let used = items.reduce((sum, { size }) => sum + size, 0);
  return removable
    .filter(({ item, lastUsedAt }) => {
      if (!wanted(policy, used, now - lastUsedAt)) return false;
      used -= item.size;
      return true;
    })
    .map(({ item }) => item);
}

// Once one item is too young or the limit holds, all later ones are kept as well, so that no needed item goes.
function wanted({ keepBytes, keepDurationMs, maxUsedBytes }: PrunePolicy, used: number, idleMs: number): boolean {
  if (maxUsedBytes !== undefined && used > maxUsedBytes) return true;
  const onlyCap = maxUsedBytes !== undefined && keepBytes === undefined && keepDurationMs === undefined;
  return !onlyCap && (keepBytes === undefined || used > keepBytes) && idleMs >= (keepDurationMs ?? 0);
}

interface Ranked<T> {
  readonly item: T;
  /** Youngest use of the item or of anything that needs it. */
  readonly lastUsedAt: number;
  /** Longest way down from something that nothing needs. */
  readonly height: number;
}

function evictionOrder<T extends GcItem>(items: readonly T[]): readonly Ranked<T>[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const users = usersOf(items);
  const ranked = new Map<string, Ranked<T>>();
  for (const item of neededLast(byId)) {
    const above = (users.get(item.id) ?? []).flatMap((id) => ranked.get(id) ?? []);
    ranked.set(item.id, {
      item,
      lastUsedAt: Math.max(item.lastUsedAt, ...above.map(({ lastUsedAt }) => lastUsedAt)),
      height: Math.max(0, ...above.map(({ height }) => height + 1)),
    });
  }
  return [...ranked.values()].sort((a, b) => a.lastUsedAt - b.lastUsedAt || a.height - b.height);
}

function usersOf(items: readonly GcItem[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { id, needs } of items) {
    for (const needed of needs) users.set(needed, [...(users.get(needed) ?? []), id]);
  }
  return users;
}

// Topological order without recursion, since chains can be thousands long: whatever needs an item comes before it.
function neededLast<T extends GcItem>(byId: ReadonlyMap<string, T>): readonly T[] {
  const waiting = new Map<string, number>();
  for (const { needs } of byId.values()) for (const id of needs) waiting.set(id, (waiting.get(id) ?? 0) + 1);
  const ready = [...byId.values()].filter(({ id }) => !waiting.has(id));
  for (const item of ready) {
    for (const id of item.needs) {
      const left = (waiting.get(id) ?? 0) - 1;
      waiting.set(id, left);
      const needed = byId.get(id);
      if (left === 0 && needed !== undefined) ready.push(needed);
    }
  }
  return ready;
}
