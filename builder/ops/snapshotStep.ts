import { randomBytes } from "node:crypto";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import type { SnapshotRef } from "./opDeps.js";

/**
 * Runs `body` on a writable tree that starts as `parent` and becomes the returned snapshot. When `body` throws,
 * nothing remains. `at` is where the tree must be mounted, for a container; without it no mount point is needed.
 */
export async function snapshotStep(
  store: Store,
  parent: SnapshotRef,
  body: (root: string) => Promise<void>,
  at?: string,
): Promise<SnapshotRef> {
  const key = newName();
  const mount = await store.snapshots.prepare(key, parent.name);
  try {
    {
      await using tree = await mountTree(mount, at);
      await body(tree.path);
    }
    const name = newName();
    await store.snapshots.commit(name, key);
    return { kind: "snapshot", name };
  } catch (error) {
    // What cannot be removed now is removed when the store is closed; the first error tells more.
    await store.snapshots.remove(key).catch(() => {});
    throw error;
  }
}

/** A fresh snapshot name. */
export function newName(): string {
  return randomBytes(12).toString("hex");
}
