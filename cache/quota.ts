import { TbuildError } from "./errors.js";
import { formatBytes } from "./formatBytes.js";

/** What keeps a store within its size, all that is written to it counted when it is written. */
export interface Quota {
  /**
   * Counts bytes that are there already and are about to be kept. Above the limit what nobody uses is removed, and the store counted
   * anew. @throws {TbuildError} resource_exhausted when that is not enough
   */
  admit(bytes: number): Promise<void>;
}

/** What a quota is made of. */
export interface QuotaParts {
  readonly maxBytes: number;
  /** Bytes that the store takes now. */
  measure(): Promise<number>;
  /** Removes what nobody uses until the store is within the limit, as far as that goes. */
  collect(): Promise<void>;
}

/** Between two counts of the whole store: others may write to it as well. */
const RECOUNT_MS = 10_000;

/** A quota that has counted nothing yet. */
export function createQuota({ maxBytes, measure, collect }: QuotaParts): Quota {
  let used = 0;
  let countedAt = -Infinity;
  let last: Promise<void> = Promise.resolve();

  const count = async () => {
    used = await measure();
    countedAt = performance.now();
  };
  const admit = async (bytes: number) => {
    used += bytes;
    if (performance.now() - countedAt >= RECOUNT_MS || used > maxBytes) await count();
    if (used <= maxBytes) return;
    await collect();
    await count();
    if (used > maxBytes) throw full(used, maxBytes);
  };
  return {
    admit(bytes) {
      const turn = last.then(() => admit(bytes));
      last = turn.catch(() => {});
      return turn;
    },
  };
}

function full(used: number, maxBytes: number): TbuildError {
  const message = `Cannot keep more in the store: ${formatBytes(used)} of it are in use, and it may hold ${formatBytes(maxBytes)}`;
  return new TbuildError("resource_exhausted", message, { hint: "Remove images or wait for other builds to end, or raise maxStoreSize in tbuild.toml" });
}
