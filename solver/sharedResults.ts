import type { CacheKey } from "./cacheKey.js";
import type { Vertex } from "./graph.js";

/** Results that somebody else has made, such as those of a cache in a registry. Asked when nothing is stored here. */
export interface SharedResults<R> {
  /** What is known of a key; null when nothing is. Never rejects but for `cancelled`: a cache that cannot be read knows nothing. */
  query(key: CacheKey): Promise<SharedResult<R> | null>;
}

/** See {@link SharedResults}. */
export interface SharedResult<R> {
  /** The key that users of the step build on. */
  readonly canonical: CacheKey;
  /** Null: only the canonical key is known, so that users of the step can be found although its own result cannot. */
  readonly outputs: readonly R[] | null;
}

/** A step of a finished build that has an identity. */
export interface KnownStep<R> {
  readonly vertex: Vertex;
  /** All keys that lead to its result, as far as they had to be worked out, sorted; `canonical` is one of them. */
  readonly keys: readonly CacheKey[];
  readonly canonical: CacheKey;
  /** Null when nobody needed its result. */
  readonly outputs: readonly R[] | null;
}
