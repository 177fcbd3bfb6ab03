import type { Store } from "../../cache/store.js";

/** Between the moment at which a shared step's result is pinned and that at which builds that wait for it take it over. */
const GRACE_MS = 60_000;

/**
 * Lets prunes take what no build uses any more. `oldest`: when the oldest build that runs began, null when none does. A process that
 * always builds would otherwise keep all it has ever seen.
 */
export async function letGo(store: Pick<Store, "unpin" | "unpinBefore">, oldest: number | null): Promise<void> {
  if (oldest === null) store.unpin();
  else await store.unpinBefore(oldest - GRACE_MS);
}
