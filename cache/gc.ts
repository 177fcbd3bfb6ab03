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

/** What becomes of an item, and why. */
export type Verdict =
  /** Goes. `idleMs`: since it, or anything that needed it, was last used. */
  | { readonly kind: "remove"; readonly idleMs: number }
  | { readonly kind: "in-use" }
  /** Something that stays needs it. */
  | { readonly kind: "needed"; readonly by: string }
  /** It is not among those that may go. */
  | { readonly kind: "not-meant" }
  /** Used too lately. */
  | { readonly kind: "young"; readonly idleMs: number }
  /** What is used is within the limit by then. */
  | { readonly kind: "within-limit" };

/** One item and what becomes of it. */
export interface Decision<T> {
  readonly item: T;
  readonly verdict: Verdict;
}

/** What {@link decide} goes by. */
export interface GcTask<T> {
  readonly inUse: ReadonlySet<string>;
  readonly policy: PrunePolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Which items may go; default all. */
  readonly mayRemove?: ((item: T) => boolean) | undefined;
  /** Bytes that are used before anything goes; default the sum of all items. */
  readonly used?: number | undefined;
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
  mayRemove?: (item: T) => boolean,
): readonly T[] {
  return decide(items, { inUse, policy, now, mayRemove }).flatMap(({ item, verdict }) => (verdict.kind === "remove" ? [item] : []));
}

/** What becomes of every item by one policy, in the order in which they would go. Pure. See {@link planPrune}. */
export function decide<T extends GcItem>(items: readonly T[], { inUse, policy, now, mayRemove = () => true, used: begin }: GcTask<T>): readonly Decision<T>[] {
  const keptBy = new Map<string, string>();
  const fixed = (item: T): Verdict | null => {
    const by = keptBy.get(item.id);
    if (inUse.has(item.id)) return { kind: "in-use" };
    if (by !== undefined) return { kind: "needed", by };
    return mayRemove(item) ? null : { kind: "not-meant" };
  };
  const judged = evictionOrder(items).map(({ item, lastUsedAt }) => {
    const verdict = fixed(item);
    if (verdict !== null) for (const id of item.needs) keptBy.set(id, item.id);
    return { item, lastUsedAt, verdict };
  });
  let used = begin ?? items.reduce((sum, { size }) => sum + size, 0);
  return judged.map(({ item, lastUsedAt, verdict: known }) => {
    const verdict = known ?? judge(policy, used, now - lastUsedAt);
    if (verdict.kind === "remove") used -= item.size;
    return { item, verdict };
  });
}

// Once one item is too young or the limit holds, all later ones are kept as well, so that no needed item goes.
function judge({ keepBytes, keepDurationMs = 0, maxUsedBytes }: PrunePolicy, used: number, idleMs: number): Verdict {
  if (maxUsedBytes !== undefined && used > maxUsedBytes) return { kind: "remove", idleMs };
  const onlyCap = maxUsedBytes !== undefined && keepBytes === undefined && keepDurationMs === 0;
  if (onlyCap || (keepBytes !== undefined && used <= keepBytes)) return { kind: "within-limit" };
  return idleMs < keepDurationMs ? { kind: "young", idleMs } : { kind: "remove", idleMs };
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
      lastUsedAt: above.reduce((latest, user) => Math.max(latest, user.lastUsedAt), item.lastUsedAt),
      height: above.reduce((most, { height }) => Math.max(most, height + 1), 0),
    });
  }
  return [...ranked.values()].sort((a, b) => a.lastUsedAt - b.lastUsedAt || a.height - b.height);
}

function usersOf(items: readonly GcItem[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { id, needs } of items) {
    for (const needed of needs) {
      const known = users.get(needed);
      if (known === undefined) users.set(needed, [id]);
      else known.push(id);
    }
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
