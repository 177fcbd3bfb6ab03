import type { MetaDb, MetaTx, SyncTable, Table } from "../meta/db.js";

type Tables = { readonly [K in keyof MetaTx]: Map<string, unknown> };

/** A metadata database of this process alone, gone with it; for tests and throw-away stores. `path` names no file. */
export function memoryMeta(): MetaDb {
  const tables: Tables = {
    snapshots: new Map(),
    layers: new Map(),
    images: new Map(),
    index: new Map(),
    contentKeys: new Map(),
    builds: new Map(),
  };
  return {
    path: "",
    snapshots: table(tables.snapshots),
    layers: table(tables.layers),
    images: table(tables.images),
    index: table(tables.index),
    contentKeys: table(tables.contentKeys),
    builds: table(tables.builds),
    transaction: async (body) => allOrNothing(tables, body),
    async [Symbol.asyncDispose]() {},
  };
}

function allOrNothing<T>(tables: Tables, body: (tx: MetaTx) => T): T {
  const before = Object.values(tables).map((map) => [map, new Map(map)] as const);
  try {
    return body({
      snapshots: syncTable(tables.snapshots),
      layers: syncTable(tables.layers),
      images: syncTable(tables.images),
      index: syncTable(tables.index),
      contentKeys: syncTable(tables.contentKeys),
      builds: syncTable(tables.builds),
    });
  } catch (error) {
    for (const [map, entries] of before) {
      map.clear();
      for (const [key, value] of entries) map.set(key, value);
    }
    throw error;
  }
}

function table<V>(map: Map<string, unknown>): Table<V> {
  const sync = syncTable<V>(map);
  return { ...sync, put: async (key, value) => sync.put(key, value), remove: async (key) => sync.remove(key) };
}

function syncTable<V>(map: Map<string, unknown>): SyncTable<V> {
  return {
    get: (key) => structuredClone(map.get(key)) as V | undefined,
    put: (key, value) => void map.set(key, structuredClone(value)),
    remove: (key) => void map.delete(key),
    entries(prefix = "") {
      const keys = [...map.keys()].filter((key) => key.startsWith(prefix)).sort();
      return keys.map((key) => [key, structuredClone(map.get(key)) as V] as const);
    },
  };
}
