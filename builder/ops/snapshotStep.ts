import { randomBytes } from "node:crypto";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import { scratchRef, type SnapshotRef } from "./opDeps.js";

/**
 * Runs `body` on a writable tree that starts as `parent` and becomes the returned snapshot. When `body` throws,
 * nothing remains, unless `salvage` takes what has become of the tree.
 */
export async function snapshotStep(
  store: Store,
  parent: SnapshotRef,
  body: (root: string) => Promise<void>,
  salvage?: (tree: SnapshotRef) => void,
): Promise<SnapshotRef> {
  const key = newName();
  const mount = await store.snapshots.prepare(key, parent.name);
  try {
    {
      await using tree = await mountTree(mount);
      await body(tree.path);
    }
    return await committed(store, key);
  } catch (error) {
    if (salvage !== undefined) salvage(await committed(store, key).catch(() => scratchRef));
    // What cannot be removed now is removed when the store is closed; the first error tells more.
    await store.snapshots.remove(key).catch(() => {});
    throw error;
  }
}

async function committed({ snapshots }: Store, key: string): Promise<SnapshotRef> {
  const name = newName();
  await snapshots.commit(name, key);
  return { kind: "snapshot", name };
}

/** A fresh snapshot name. */
export function newName(): string {
  return randomBytes(12).toString("hex");
}
