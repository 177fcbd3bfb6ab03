import { displayId, listCacheMounts, removeCacheMount } from "../cache/cacheMounts.js";
import type { MountRestorer } from "./cacheio/importMounts.js";
import type { Store } from "../cache/store.js";
import type { Vertex } from "../solver/graph.js";

/** Empties the cache mounts of steps that are to run without the cache. */
export type DropCacheMounts = (steps: readonly Vertex[]) => Promise<void>;

/**
 * For one build: each cache mount is emptied once, before the first step that mounts it runs. One that another build uses stays
 * as it is. Shared caches do not fill them again. Source: BuildKit, solver/llbsolver/vertex.go detectPrunedCacheID
 */
export function cacheMountDropper(store: Store, restorer: Pick<MountRestorer, "leave">): DropCacheMounts {
  const dropped = new Set<string>();
  return async (steps) => {
    const ids = new Set(steps.flatMap(idsOf).filter((id) => !dropped.has(id)));
    if (ids.size === 0) return;
    for (const id of ids) dropped.add(id);
    restorer.leave(ids);
    const removeTree = async (dir: string) => void (await store.bulk.run("removeTree", { path: dir }));
    for (const { name, id } of listCacheMounts(store.root)) if (ids.has(id)) await removeCacheMount(store.root, name, removeTree);
  };
}

function idsOf({ op: { body }, metadata }: Vertex): readonly string[] {
  if (body.kind !== "exec" || !metadata.ignoreCache) return [];
  return body.mounts.flatMap(({ type }) => (type.kind === "cache" ? [displayId(type.id)] : []));
}
