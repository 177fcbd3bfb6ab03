import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type BlobStore, deleteBlobs } from "./deleteBlobs.js";
import type { Digest } from "./oci/digest.js";
import { withPins } from "./pins.js";

/** Blobs that are wanted for a while only, such as those on their way to or from elsewhere. Many may want one blob. */
export interface TemporaryBlobs {
  hold(): HeldBlobs;
}

/** Disposing deletes what nobody else wants and no record names. */
export interface HeldBlobs extends AsyncDisposable {
  /** To be called before the blob is looked for or made. */
  add(digest: Digest): void;
}

/** A process's lease, and its directory. */
interface Holder {
  readonly lease: string;
  readonly scratch: string;
}

/** In a process's scratch directory: what is left to delete when it is killed. */
const NOTES = "temporary-blobs";

/** None yet. */
export function temporaryBlobs(store: BlobStore, holder: Holder): TemporaryBlobs {
  const holders = new Map<string, number>();
  const count = (digest: string, more: number): void => {
    const now = (holders.get(digest) ?? 0) + more;
    if (now > 0) holders.set(digest, now);
    else holders.delete(digest);
  };
  const notes = path.join(holder.scratch, NOTES);
  return {
    hold() {
      const own = new Set<Digest>();
      return {
        add(digest) {
          if (own.has(digest)) return;
          own.add(digest);
          count(digest, 1);
          appendFileSync(notes, `${digest}\n`);
        },
        async [Symbol.asyncDispose]() {
          for (const digest of own) count(digest, -1);
          await free(store, holder.lease, () => [...own].filter((digest) => !holders.has(digest)));
          if (holders.size === 0 && own.size > 0) writeFileSync(notes, "");
        },
      };
    },
  };
}

/** Deletes what a dead process wanted for a while only. */
export async function freeTemporaryBlobs(store: BlobStore, { lease, scratch }: Holder): Promise<void> {
  const notes = path.join(scratch, NOTES);
  if (existsSync(notes)) await free(store, lease, () => readFileSync(notes, "utf8").split("\n").slice(0, -1));
}

/** What the process with this lease has pinned itself counts for nothing. `digests` is asked when nobody can pin any more. */
async function free(store: BlobStore, lease: string, digests: () => readonly string[]): Promise<void> {
  await withPins(store.root, async (pinned) => deleteBlobs(store, digests().filter((digest) => !pinned.has(`blob:${digest}`))), lease);
}
