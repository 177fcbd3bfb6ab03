import { randomBytes } from "node:crypto";
import { TbuildError } from "../errors.js";
import type { MetaDb, MetaTx, SnapshotRecord } from "../meta/db.js";
import type { CommitOptions, SnapshotInfo } from "./snapshotter.js";

/** Names with this prefix are merged copies of long chains; they belong to the snapshot whose name follows. */
const FLAT = "flat:";

/** Which table of a transaction or of the database; both read alike. */
type Readable = Pick<MetaTx["snapshots"], "get">;

/** Writes the record of a new active snapshot. @throws {TbuildError} already_exists, not_found */
export function reserve(meta: MetaDb, key: string, parent: string | null, lease: string): Promise<SnapshotRecord> {
  const now = Date.now();
  // Short: the directory's path is one of many in the options of a mount.
  const id = randomBytes(5).toString("hex");
  const record = { kind: "active", parent, id, lease, createdAt: now, lastUsedAt: now, size: null } as const;
  return meta.transaction(({ snapshots }) => {
    if (snapshots.get(key) !== undefined) throw exists(key);
    if (parent !== null) committed(snapshots, parent);
    snapshots.put(key, record);
    return record;
  });
}

/** Gives the active snapshot `key`, which has none, a committed parent. @throws {TbuildError} not_found */
export function putOnParent(meta: MetaDb, key: string, parent: string): Promise<SnapshotRecord> {
  return meta.transaction(({ snapshots }) => {
    const active = snapshots.get(key);
    if (active?.kind !== "active" || active.parent !== null) throw missing(key);
    committed(snapshots, parent);
    const record = { ...active, parent };
    snapshots.put(key, record);
    return record;
  });
}

/** Turns the active snapshot `key` into the committed `name`. @throws {TbuildError} already_exists, not_found */
export function commitRecord(meta: MetaDb, name: string, key: string, { standalone = false }: CommitOptions = {}): Promise<SnapshotRecord> {
  return meta.transaction(({ snapshots }) => {
    const active = snapshots.get(key);
    if (active?.kind !== "active") throw missing(key);
    const before = snapshots.get(name);
    if (name !== key && before !== undefined && before.absent !== true) throw exists(name);
    const committedNow = { ...active, kind: "committed", lease: null, lastUsedAt: Date.now() } as const;
    const record = standalone ? ({ ...committedNow, standalone } as const) : committedNow;
    snapshots.remove(key);
    snapshots.put(name, record);
    return record;
  });
}

/** Writes the record of a committed snapshot without files, unless there is one. @throws {TbuildError} not_found */
export function declareRecord(meta: MetaDb, name: string, parent: string | null): Promise<void> {
  const now = Date.now();
  const id = randomBytes(5).toString("hex");
  const record = { kind: "committed", parent, id, lease: null, createdAt: now, lastUsedAt: now, size: 0, absent: true } as const;
  return meta.transaction(({ snapshots }) => {
    if (parent !== null) committed(snapshots, parent);
    if (snapshots.get(name) === undefined) snapshots.put(name, record);
  });
}

/** Forgets a snapshot and returns the IDs of the directories that nobody needs any more. @throws {TbuildError} unavailable */
export function removeRecord(meta: MetaDb, name: string): Promise<readonly string[]> {
  return meta.transaction(({ snapshots }) => {
    const record = snapshots.get(name);
    if (record === undefined) return [];
    for (const [child, { parent }] of snapshots.entries()) if (parent === name) throw hasChild(name, child);
    const flat = snapshots.get(flatName(name));
    snapshots.remove(name);
    snapshots.remove(flatName(name));
    return flat === undefined ? [record.id] : [record.id, flat.id];
  });
}

/** IDs of a committed snapshot and its parents, topmost first; ends early at a merged copy. @throws {TbuildError} not_found */
export function chainOf(snapshots: Readable, name: string | null): readonly string[] {
  const ids: string[] = [];
  for (let at = name; at !== null; ) {
    const flat = snapshots.get(flatName(at));
    if (flat !== undefined) return [...ids, flat.id];
    const record: SnapshotRecord = committed(snapshots, at);
    ids.push(record.id);
    at = record.parent;
  }
  return ids;
}

/** The record of a committed snapshot. @throws {TbuildError} not_found */
export function committed(snapshots: Readable, name: string): SnapshotRecord {
  const record = snapshots.get(name);
  if (record?.kind !== "committed") throw missing(name);
  return record;
}

/** The record of any snapshot. @throws {TbuildError} not_found */
export function existing(snapshots: Readable, name: string): SnapshotRecord {
  const record = snapshots.get(name);
  if (record === undefined) throw missing(name);
  return record;
}

/** Under which name the merged copy of `name` and its parents is kept. */
export function flatName(name: string): string {
  return FLAT + name;
}

/** What users may know of a record. */
export function snapshotInfo(name: string, record: SnapshotRecord): SnapshotInfo {
  const { kind, parent, createdAt, size, absent } = record;
  return { name, kind, parent, createdAt, size, here: absent !== true };
}

/** Every snapshot but the merged copies. */
export async function* walkRecords(meta: MetaDb): AsyncGenerator<SnapshotInfo> {
  for (const [name, record] of meta.snapshots.entries()) {
    if (!name.startsWith(FLAT)) yield snapshotInfo(name, record);
  }
}

/** Forgets merged copies whose snapshot is gone. */
export function removeLostFlats(meta: MetaDb): Promise<void> {
  return meta.transaction(({ snapshots }) => {
    const names = Array.from(snapshots.entries(FLAT), ([name]) => name);
    for (const name of names) if (snapshots.get(name.slice(FLAT.length)) === undefined) snapshots.remove(name);
  });
}

function missing(name: string): TbuildError {
  return new TbuildError("not_found", `Cannot find snapshot "${name}"`);
}

function exists(name: string): TbuildError {
  return new TbuildError("already_exists", `Cannot create snapshot "${name}": it exists already`);
}

function hasChild(name: string, child: string): TbuildError {
  return new TbuildError("unavailable", `Cannot remove snapshot "${name}": it is the parent of "${child}"`);
}
