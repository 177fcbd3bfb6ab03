/**
 * An immutable map that is cheap to change: a step of a long file sets one variable among thousands. Entries are in the
 * order in which they were last set.
 */
export interface LayeredMap<V> extends Iterable<readonly [string, V]> {
  readonly size: number;
  get(key: string): V | undefined;
  has(key: string): boolean;
  keys(): Iterable<string>;
  /** The map with these entries set last, in order. The map itself stays as it is. */
  with(entries: Iterable<readonly [string, V]>): LayeredMap<V>;
}

/** Up to this size a copy is cheaper than two layers. */
const SMALL = 32;

/** A map of `entries`; the last of a key counts. */
export function layeredMap<V>(entries?: Iterable<readonly [string, V]>): LayeredMap<V> {
  return entries === undefined ? (nothing as LayeredMap<V>) : flat(setLast(new Map<string, V>(), entries));
}

const nothing: LayeredMap<unknown> = flat(new Map());

/** One layer. */
function flat<V>(map: ReadonlyMap<string, V>): LayeredMap<V> {
  return {
    size: map.size,
    get: (key) => map.get(key),
    has: (key) => map.has(key),
    keys: () => map.keys(),
    [Symbol.iterator]: () => map[Symbol.iterator](),
    with: (changes) =>
      map.size <= SMALL ? flat(setLast(new Map(map), changes)) : layered(map, setLast(new Map<string, V>(), changes)),
  };
}

/** Entries of `base` that `recent` does not have, then those of `recent`, which is small and copied at every change. */
function layered<V>(base: ReadonlyMap<string, V>, recent: ReadonlyMap<string, V>): LayeredMap<V> {
  // Copies of the small part and merges of both then cost about the same.
  if (recent.size * recent.size > base.size + 64) return flat(setLast(new Map(base), recent));
  let hidden = 0;
  for (const key of recent.keys()) if (base.has(key)) hidden++;
  function* entries(): Generator<readonly [string, V]> {
    for (const entry of base) if (!recent.has(entry[0])) yield entry;
    yield* recent;
  }
  function* keys(): Generator<string> {
    for (const [key] of entries()) yield key;
  }
  return {
    size: base.size + recent.size - hidden,
    get: (key) => (recent.has(key) ? recent.get(key) : base.get(key)),
    has: (key) => recent.has(key) || base.has(key),
    keys,
    [Symbol.iterator]: entries,
    with: (changes) => layered(base, setLast(new Map(recent), changes)),
  };
}

function setLast<V>(map: Map<string, V>, entries: Iterable<readonly [string, V]>): Map<string, V> {
  for (const [key, value] of entries) {
    map.delete(key);
    map.set(key, value);
  }
  return map;
}
