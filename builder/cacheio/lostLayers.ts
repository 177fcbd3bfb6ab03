import { hasCode } from "../../cache/errors.js";
import { snapshotsOf } from "../../cache/index.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { FetchOpts } from "../registry/client.js";
import type { Warn } from "../warnOnce.js";
import { cacheWarning } from "./warning.js";

/** Blobs that a build could not have. */
export interface Losses {
  readonly blobs: ReadonlySet<Digest>;
  note(blob: Descriptor): void;
  /** `refetch`, noting what it cannot bring. */
  noting(refetch: Refetch): Refetch;
}

type Refetch = (blob: Descriptor, opts: FetchOpts) => Promise<void>;

/** Nothing was lost. */
export function losses(): Losses {
  const blobs = new Set<Digest>();
  const note = ({ digest }: Descriptor): void => void blobs.add(digest);
  return {
    blobs,
    note,
    noting: (refetch) => async (blob, opts) => {
      try {
        await refetch(blob, opts);
      } catch (error) {
        if (opts.signal?.aborted !== true && !hasCode(error, "resource_exhausted")) note(blob);
        throw error;
      }
    },
  };
}

/**
 * Results of caches are used before their layers are here. When one turns out to be gone, or is not what the cache says, what
 * is stored of it is forgotten and `attempt` is made once more, in which the steps run that made it; and so on while more is lost.
 */
export async function despiteLosses<T>(store: Store, lost: Losses, warn: Warn, attempt: () => Promise<T>): Promise<T> {
  for (let known = 0; ; known = lost.blobs.size) {
    try {
      return await attempt();
    } catch (error) {
      if (lost.blobs.size === known || hasCode(error, "cancelled") || !(await forgetResults(store, lost.blobs))) throw error;
      warn([cacheWarning("A cached result cannot be used; its steps run again", error)]);
    }
  }
}

/** True when some stored result needed one of these blobs, and is not found any more. */
async function forgetResults({ meta }: Store, lost: ReadonlySet<Digest>): Promise<boolean> {
  return await meta.transaction((tx) => {
    const gone = new Map<string, boolean>();
    const isGone = (top: string): boolean => {
      const path: string[] = [];
      let found = false;
      for (let at: string | null = top; at !== null; at = tx.snapshots.get(at)?.parent ?? null) {
        const known = gone.get(at);
        path.push(at);
        found = known ?? (tx.snapshots.get(at)?.absent === true && tx.layers.get(at)?.blobs.some(({ digest }) => lost.has(digest)) === true);
        if (known !== undefined || found) break;
      }
      for (const name of path) gone.set(name, found);
      return found;
    };
    const keys = [...tx.index.entries()].flatMap(([key, record]) => (snapshotsOf(record).some(isGone) ? [key] : []));
    for (const key of keys) tx.index.remove(key);
    return keys.length > 0;
  });
}
