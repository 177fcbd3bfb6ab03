import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { ChangeSource, Mount } from "../../cache/snapshot/snapshotter.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { layOn, withLayer } from "./layOn.js";
import type { SnapshotRef } from "./opDeps.js";
import { newName } from "./snapshotStep.js";

/** A snapshot on `parent` with the changes of the snapshot `layer`, which stays the same layer. Nothing remains when it fails. */
export async function graft(store: Store, parent: SnapshotRef, layer: string, opts: StepOpts): Promise<SnapshotRef> {
  const changes = await store.snapshots.changes(layer);
  const ref = mayHide(changes) ? await lay(store, parent, changes, layer, opts) : await repeat(store, parent, changes, opts);
  await repeatRecord(store, layer, ref.name);
  return ref;
}

/** A layer on nothing has only what it shows, unless it is kept apart. */
function mayHide(changes: ChangeSource): boolean {
  return changes.kind === "upper" && (changes.apart === true || changes.lower.length > 0);
}

async function lay(store: Store, parent: SnapshotRef, changes: ChangeSource, layer: string, opts: StepOpts): Promise<SnapshotRef> {
  const laid = await layOn(store, parent, changes, opts);
  const { diffId, size, entries } = laid.layer;
  if (store.meta.layers.get(layer) === undefined) await store.meta.layers.put(layer, { diffId, size, empty: entries === 0, blobs: [] });
  return laid.ref;
}

async function repeat(store: Store, parent: SnapshotRef, changes: ChangeSource, opts: StepOpts): Promise<SnapshotRef> {
  const key = newName();
  const mount = await store.snapshots.prepare(key, parent.name);
  try {
    await repeatChanges(store, changes, mount, opts);
    const name = newName();
    await store.snapshots.commit(name, key, { standalone: true });
    return { kind: "snapshot", name };
  } catch (error) {
    // What cannot be removed now is removed when the store is closed; the first error tells more.
    await store.snapshots.remove(key).catch(() => {});
    throw error;
  }
}

/** Equal changes are an equal layer. */
async function repeatRecord({ meta }: Store, from: string, to: string | null): Promise<void> {
  const known = meta.layers.get(from);
  if (known !== undefined && to !== null) await meta.layers.put(to, known);
}

/** Snapshots never change once committed: where both are overlays, their files can be shared. */
async function repeatChanges(store: Store, changes: ChangeSource, mount: Mount, opts: StepOpts): Promise<void> {
  const upper = mount.type === "overlay" ? mount.upper : undefined;
  if (changes.kind === "upper" && upper !== undefined) {
    await store.bulk.run("linkTree", { from: changes.path, to: upper }, { signal: opts.signal });
  } else {
    await repeatAsLayer(store, changes, mount, opts);
  }
}

/** For whole trees: the difference as a layer, which is then unpacked. */
async function repeatAsLayer(store: Store, source: ChangeSource, mount: Mount, opts: StepOpts): Promise<void> {
  await withLayer(store, source, opts, async (blob) => {
    await using tree = await mountTree(mount);
    await store.bulk.run("applyLayer", { blob, root: tree.path, maxBytes: Number.MAX_SAFE_INTEGER }, { signal: opts.signal });
  });
}
