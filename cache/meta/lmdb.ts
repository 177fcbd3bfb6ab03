import type { Database, RootDatabase } from "lmdb";
import { digestOf } from "../oci/digest.js";
import type { MetaDb, MetaTx, SyncTable, Table } from "./db.js";
import { checkOpenable, fromLmdbError, openEnv } from "./env.js";
import { whileNobodyOpens, whileNobodyWrites } from "./openGuard.js";

const TABLES = ["snapshots", "layers", "images", "index", "contentKeys", "builds"] as const;

/** lmdb refuses keys of more than 1978 bytes. */
const MAX_KEY_BYTES = 1900;
const KEPT_CHARACTERS = 200;

/**
 * Opens (or creates) the metadata database in the file `path`. Values are JSON. A key of more than 1900 bytes is
 * stored under its first 200 characters and its digest, which is also what {@link Table.entries} then shows.
 * @throws {TbuildError} corrupt, resource_exhausted
 */
export async function openMeta(path: string): Promise<MetaDb> {
  const { env, dbs } = await openTables(path);
  const tables = mapTables(dbs, (db) => table(env, db, path)) as Pick<MetaDb, (typeof TABLES)[number]>;
  const tx = mapTables(dbs, syncTable) as unknown as MetaTx;
  return {
    path,
    ...tables,
    transaction: (body) => guarded(path, () => env.childTransaction(() => body(tx))),
    [Symbol.asyncDispose]: () => env.close(),
  };
}

type AnyDatabase = Database<unknown, Uint8Array>;

// A full disk or a foreign file is told before the locks are made beside it.
function openTables(path: string): Promise<{ readonly env: RootDatabase; readonly dbs: Record<string, AnyDatabase> }> {
  checkOpenable(path);
  return whileNobodyWrites(path, () => {
    const env = openEnv(path);
    return { env, dbs: Object.fromEntries(TABLES.map((name) => [name, openTable(env, name, path)])) };
  });
}

// Keys are plain UTF-8 bytes: lmdb's own key encoding orders strings with control characters by their length too, so
// that the keys of one prefix are not together.
function openTable(env: RootDatabase, name: string, path: string): AnyDatabase {
  try {
    return env.openDB<unknown, Uint8Array>({ name, encoding: "json", keyEncoding: "binary" });
  } catch (error) {
    throw fromLmdbError(error, path);
  }
}

function mapTables<T>(dbs: Record<string, AnyDatabase>, make: (db: AnyDatabase) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(dbs).map(([name, db]) => [name, make(db)]));
}

function table<V>(env: RootDatabase, db: AnyDatabase, path: string): Table<V> {
  // A read transaction lives for a turn of the event loop and hides what other processes commit meanwhile.
  // Renewing it costs 0.7 µs a read.
  const fresh = () => env.resetReadTxn();
  return {
    get(key) {
      fresh();
      return db.get(fitKey(key)) as V | undefined;
    },
    put: (key, value) => guarded(path, async () => void (await db.put(fitKey(key), value))),
    remove: (key) => guarded(path, async () => void (await db.remove(fitKey(key)))),
    entries(prefix = "") {
      fresh();
      return entriesFrom<V>(db, prefix);
    },
  };
}

function syncTable<V>(db: AnyDatabase): SyncTable<V> {
  return {
    get: (key) => db.get(fitKey(key)) as V | undefined,
    put: (key, value) => db.putSync(fitKey(key), value),
    remove: (key) => void db.removeSync(fitKey(key)),
    // A copy, so that the caller may write while it iterates.
    entries: (prefix = "") => [...entriesFrom<V>(db, prefix)],
  };
}

function* entriesFrom<V>(db: AnyDatabase, prefix: string): Generator<readonly [string, V]> {
  const range = prefix === "" ? db.getRange({}) : db.getRange({ start: fitKey(prefix) });
  for (const { key, value } of range) {
    const text = Buffer.from(key).toString();
    if (!text.startsWith(prefix)) return;
    yield [text, value as V];
  }
}

function fitKey(key: string): Uint8Array {
  const bytes = Buffer.from(key);
  if (bytes.length <= MAX_KEY_BYTES) return bytes;
  return Buffer.from(`${key.slice(0, KEPT_CHARACTERS)}\u0001${digestOf(bytes)}`);
}

async function guarded<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await whileNobodyOpens(path, write);
  } catch (error) {
    throw fromLmdbError(await commitError(error), path);
  }
}

// A failed commit rejects every write of its group with a placeholder whose `commitError` rejects with the cause, and
// would be an unhandled rejection if nobody asked.
async function commitError(error: unknown): Promise<unknown> {
  const cause = (error as { commitError?: Promise<never> }).commitError;
  return cause === undefined ? error : cause.catch((reason: unknown) => reason);
}
