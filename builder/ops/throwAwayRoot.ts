import path from "node:path";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";

/** A writable tree on a snapshot (null is the empty one), mounted for a container. `id` is a new name. Disposing removes what was written. */
export async function throwAwayRoot(store: Store, parent: string | null, id: string): Promise<AsyncDisposable & { readonly path: string }> {
  const mount = await store.snapshots.prepare(id, parent);
  const remove = () => store.snapshots.remove(id);
  try {
    const tree = await mountTree(mount, path.join(store.scratch, "roots", id));
    return {
      path: tree.path,
      async [Symbol.asyncDispose]() {
        await tree[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    // What cannot be removed now is removed when the store is closed; the first error tells more.
    await remove().catch(() => {});
    throw error;
  }
}
