import fs from "node:fs";
import { isErrno } from "../sys/libc.js";
import type { MetaDb } from "../meta/db.js";
import { removeLostFlats, removeRecord } from "./records.js";

/** What every snapshotter is made of. */
export interface SnapshotterOptions {
  /** The `snapshots/` directory of the store; absolute, created when missing. */
  readonly root: string;
  readonly meta: MetaDb;
  /** Id of this process's lease: owner of the active snapshots. */
  readonly lease: string;
  /** Deletes a directory tree, however deep and whatever its names. Absent is a success. */
  removeTree(path: string): Promise<void>;
  /** Copies a tree into an empty directory; default `copyTree` on this thread. */
  readonly copyTree?: ((from: string, to: string) => Promise<void>) | undefined;
}

/** The root file system of a snapshot. */
export function fsDir(root: string, id: string): string {
  return `${root}/${id}/fs`;
}

/** What a snapshot changes, where that is more than what it shows. */
export function changesDir(root: string, id: string): string {
  return `${root}/${id}/changes`;
}

/** Overlayfs's working directory of an active snapshot. */
export function workDir(root: string, id: string): string {
  return `${root}/${id}/work`;
}

/** Creates the empty directories of a new snapshot, `/` being 0755 and root's whatever the umask. */
export function createDirs(root: string, id: string, kinds: readonly ("fs" | "work")[]): void {
  fs.mkdirSync(`${root}/${id}`, { recursive: true, mode: 0o700 });
  for (const kind of kinds) {
    fs.mkdirSync(`${root}/${id}/${kind}`);
    fs.chmodSync(`${root}/${id}/${kind}`, 0o755);
  }
}

/**
 * Removes a snapshot. An active one, which nobody else uses, loses its files first: on a full disk there may be no room
 * to write that it is gone. @throws {TbuildError} unavailable while another snapshot has it as parent
 */
export async function removeSnapshot(options: SnapshotterOptions, name: string): Promise<void> {
  const record = options.meta.snapshots.get(name);
  if (record?.kind === "active") await discard(options, record.id);
  for (const id of await removeRecord(options.meta, name)) await discard(options, id);
}

/** Takes a snapshot's directory out of sight at once, then deletes it. */
export async function discard({ root, removeTree }: Pick<SnapshotterOptions, "root" | "removeTree">, id: string): Promise<void> {
  const trash = `${root}/.trash-${id}`;
  try {
    fs.renameSync(`${root}/${id}`, trash);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  await removeTree(trash);
}

/**
 * Deletes directories that no record names: what a killed process had begun to remove. Safe beside running builds, since
 * a record is written before its directory is made and the listing is taken before the records are read.
 */
export async function sweepSnapshots(options: Pick<SnapshotterOptions, "root" | "meta" | "removeTree">): Promise<void> {
  const names = listing(options.root);
  await removeLostFlats(options.meta);
  const known = new Set([...options.meta.snapshots.entries()].map(([, record]) => record.id));
  for (const name of names) {
    if (name.startsWith(".trash-")) await options.removeTree(`${options.root}/${name}`);
    else if (!known.has(name)) await discard(options, name);
  }
}

function listing(root: string): readonly string[] {
  try {
    return fs.readdirSync(root);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}
