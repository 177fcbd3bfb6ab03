import { closeSync, lstatSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import type { ApartOutput, DiffOutput, HiddenPath } from "../../cache/bulk/layerJobs.js";
import { TbuildError } from "../../cache/errors.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { ChangeSource, Mount } from "../../cache/snapshot/snapshotter.js";
import type { Store } from "../../cache/store.js";
import { lutimes, mknod } from "../../cache/sys/node.js";
import { lsetxattr } from "../../cache/sys/xattr.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { SnapshotRef } from "./opDeps.js";
import { newName } from "./snapshotStep.js";

/** A snapshot, and the layer that it is. */
export interface Laid {
  readonly ref: SnapshotRef;
  readonly layer: DiffOutput;
}

/**
 * A snapshot on `parent` that makes these changes again, those included that take away what is not there: they count when the
 * snapshot is put on something else, or becomes the layer of an image. Nothing remains when it fails.
 * @throws {TbuildError} unsupported where snapshots are whole trees
 */
export async function layOn(store: Store, parent: SnapshotRef, changes: ChangeSource, opts: StepOpts): Promise<Laid> {
  const { snapshots } = store;
  if (snapshots.stack === undefined) throw new TbuildError("unsupported", "Cannot keep what a step takes away: snapshots are whole trees here, use overlayfs");
  return await withLayer(store, changes, opts, async (blob, layer) => {
    const key = newName();
    const mount = await snapshots.prepare(key, null);
    try {
      const applied = await unpack(store, mount, blob, opts);
      if (applied.hidden.length > 0) await keepChanges(store, key, mount, applied.hidden, opts);
      if (parent.name !== null) await stack(store, key, parent.name, applied, opts);
      const name = newName();
      await snapshots.commit(name, key, { standalone: true });
      return { ref: { kind: "snapshot", name }, layer };
    } catch (error) {
      // What cannot be removed now is removed when the store is closed; the first error tells more.
      await snapshots.remove(key).catch(() => {});
      throw error;
    }
  });
}

/** Runs `body` with the changes as the tar of a layer, in a file that is gone afterwards. */
export async function withLayer<T>(
  store: Store,
  source: ChangeSource,
  { signal }: StepOpts,
  body: (blob: string, layer: DiffOutput) => Promise<T>,
): Promise<T> {
  const dir = path.join(store.scratch, "layers");
  mkdirSync(dir, { recursive: true });
  const blob = path.join(dir, newName());
  const file = openSync(blob, "wx", 0o600);
  try {
    const onChunk = (chunk: Uint8Array) => void writeSync(file, chunk);
    const layer = await store.bulk.run("diffLayer", { source, emit: true, clampMtime: null }, { signal, onChunk });
    return await body(blob, layer);
  } finally {
    closeSync(file);
    rmSync(blob, { force: true });
  }
}

async function unpack(store: Store, mount: Mount, blob: string, { signal }: StepOpts): Promise<ApartOutput> {
  await using tree = await mountTree(mount);
  const applied = await store.bulk.run("applyApart", { blob, root: tree.path, maxBytes: Number.MAX_SAFE_INTEGER }, { signal });
  if (applied !== null) return applied;
  throw new TbuildError("unsupported", "Cannot make changes apart from what they change: they have links to what is below");
}

async function stack(store: Store, key: string, parent: string, applied: ApartOutput, { signal }: StepOpts): Promise<void> {
  const mount = await store.snapshots.stack?.(key, parent, applied.root);
  if (mount?.type !== "overlay" || mount.upper === undefined || applied.hidden.length === 0) return;
  await using tree = await mountTree(mount);
  await store.bulk.run("hideBelow", { root: tree.path, own: mount.upper, hidden: applied.hidden }, { signal });
}

const OPAQUE = Buffer.from("trusted.overlay.opaque");

/** Overlayfs would list the whiteouts of a directory that is in one layer only, so that they are kept beside what is shown. */
async function keepChanges(store: Store, key: string, shown: Mount, hidden: readonly HiddenPath[], { signal }: StepOpts): Promise<void> {
  const dir = store.snapshots.changesDir?.(key);
  if (dir === undefined || shown.type !== "bind") throw new Error(`Not a snapshot of its own: ${key}`);
  mkdirSync(dir, { mode: 0o755 });
  await store.bulk.run("linkTree", { from: shown.source, to: dir }, { signal });
  for (const { path: name, what } of hidden) {
    const file = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name, "latin1")]);
    if (what === "entries") lsetxattr(file, OPAQUE, Buffer.from("y"));
    else takeAway(file);
  }
}

/** The directory keeps its time: it is part of the layer. */
function takeAway(file: Buffer): void {
  const dir = file.subarray(0, file.lastIndexOf("/"));
  const { atimeNs, mtimeNs } = lstatSync(dir, { bigint: true });
  mknod(file, WHITEOUT_MODE, 0n);
  lutimes(dir, atimeNs, mtimeNs);
}

/** A character device; see the kernel's filesystems/overlayfs.rst, "whiteouts". */
const WHITEOUT_MODE = 0o020000;
