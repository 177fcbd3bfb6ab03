import { type CacheMountInfo, displayId, listCacheMounts } from "../../cache/cacheMounts.js";
import type { Vertex } from "../../solver/graph.js";
import type { MountOptions } from "./mountOptions.js";

/** Ids of the cache mounts of steps, as people know them. */
export function mountIds(steps: readonly Vertex[]): ReadonlySet<string> {
  return new Set(steps.flatMap(({ op: { body } }) => (body.kind === "exec" ? body.mounts.flatMap(({ type }) => (type.kind === "cache" ? [displayId(type.id)] : [])) : [])));
}

/** Those of a build's mounts that are to be exported. */
export function chosenIds(ids: ReadonlySet<string>, { only, except }: MountOptions): ReadonlySet<string> {
  return new Set([...ids].filter((id) => only?.has(id) !== false && !except.has(id)));
}

/** What was chosen or excluded that no step mounts. */
export function unknownIds(ids: ReadonlySet<string>, { only, except }: MountOptions): readonly string[] {
  return [...(only ?? []), ...except].filter((id) => !ids.has(id));
}

/**
 * One directory of each mount among `ids` that was used since the moment `since`, in milliseconds since the epoch; of an id that nobody has
 * used since then, the mount that was used last.
 */
export function chosenMounts(root: string, ids: ReadonlySet<string>, since: number): readonly CacheMountInfo[] {
  const newestFirst = listCacheMounts(root).filter(({ id, path }) => ids.has(id) && !path.endsWith(".new")).toSorted((a, b) => b.lastUsedAt - a.lastUsedAt);
  const chosen = new Map<string, CacheMountInfo>();
  const served = new Set<string>();
  for (const mount of newestFirst) {
    const key = mountKeyOf(mount);
    if (chosen.has(key) || (served.has(mount.id) && mount.lastUsedAt < since)) continue;
    chosen.set(key, mount);
    served.add(mount.id);
  }
  return [...chosen.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a mount is known by in every store. */
export function mountKeyOf({ name }: Pick<CacheMountInfo, "name">): string {
  return name.slice(0, name.indexOf("/"));
}
