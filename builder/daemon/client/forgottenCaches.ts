import { displayId, listCacheMounts, removeCacheMount } from "../../../cache/cacheMounts.js";
import type { Store } from "../../../cache/store.js";
import type { Vertex } from "../../../solver/graph.js";

/** Empties cache mounts of steps. */
export type ForgetCaches = (steps: readonly Vertex[]) => Promise<void>;

/**
 * Steps that run whatever the cache has begin with empty cache mounts, once a build; one that another build uses stays.
 * Source: BuildKit, solver/llbsolver/bridge.go.
 */
export function cacheForgetter(store: Pick<Store, "root" | "bulk">): ForgetCaches {
  const done = new Set<string>();
  return async (steps) => {
    const ids = new Set(steps.flatMap(uncachedIds).filter((id) => !done.has(id)));
    if (ids.size === 0) return;
    for (const id of ids) done.add(id);
    const removeTree = async (dir: string) => void (await store.bulk.run("removeTree", { path: dir }));
    for (const { id, name, inUse } of listCacheMounts(store.root)) {
      if (ids.has(id) && !inUse) await removeCacheMount(store.root, name, removeTree);
    }
  };
}

function uncachedIds({ op: { body }, metadata }: Vertex): readonly string[] {
  if (body.kind !== "exec" || !metadata.ignoreCache) return [];
  return body.mounts.flatMap(({ type }) => (type.kind === "cache" ? [displayId(type.id)] : []));
}
