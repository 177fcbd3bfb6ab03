import { type Digest, digestOf } from "../cache/oci/digest.js";

/** Identity of a step's results. Not the digest of any bytes at rest. */
export type CacheKey = Digest & { readonly __key: "CacheKey" };

/** One input of a step as its key sees it. */
export interface KeyInput {
  /** Canonical key of the input's step, or the content digest of what is read of it. */
  readonly key: string;
  /** Output of the input's step; 0 for a content digest, which does not care where the bytes come from. */
  readonly output: number;
  /** Which part is read; null for the whole tree. */
  readonly selector: string | null;
}

/**
 * Key of one op's results. Pure: no clock, environment or I/O.
 * `opDigest` already leaves out what must not split the cache (names, proxy env, secret values).
 * Input i of the op is part i of the key.
 */
export function cacheKey(opDigest: Digest, inputs: readonly KeyInput[]): CacheKey {
  const parts = inputs.map(({ key, output, selector }) => [key, output, selector]);
  return digestOf(JSON.stringify(["tbuild.key.v1", opDigest, parts])) as CacheKey;
}
