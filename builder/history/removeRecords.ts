import { blobsOfBuild } from "../../cache/buildRecords.js";
import type { BuildRecord } from "../../cache/meta/records.js";
import { freeBlobs } from "../../cache/prune.js";
import type { Store } from "../../cache/store.js";

/**
 * Removes those of the records that are still what they were, with the blobs that only they have named, and returns them: one that has
 * been pinned meanwhile, or is a newer build's, stays.
 */
export async function removeRecords(store: Store, wanted: readonly BuildRecord[]): Promise<readonly BuildRecord[]> {
  if (wanted.length === 0) return [];
  const gone = await store.meta.transaction((tx) => {
    const same = wanted.filter(({ ref, createdAt, generation }) => {
      const now = tx.builds.get(ref);
      return now?.createdAt === createdAt && now.generation === generation;
    });
    for (const { ref } of same) tx.builds.remove(ref);
    return same;
  });
  if (gone.length > 0) await freeBlobs(store, gone.flatMap(blobsOfBuild).map(({ digest }) => digest));
  return gone;
}
