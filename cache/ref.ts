import type { IgnoreRules } from "./tree/patterns.js";

/**
 * The result of a step. `snapshot` names a committed snapshot (null: the empty tree of `FROM scratch`).
 * `directory` is a directory of this machine that is read in place, as a local build context is; its content can
 * change under the build, so that it never enters the cache index.
 */
export type Ref =
  | { readonly kind: "snapshot"; readonly name: string | null }
  | { readonly kind: "directory"; readonly path: string; readonly ignore: IgnoreRules };
