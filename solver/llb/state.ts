import type { SourceRange } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { OpBody, OpMetadata } from "./op.js";

/** A step that is being composed. Immutable; sharing a node in two places means one step. */
export interface Node {
  readonly body: OpBody;
  readonly inputs: readonly Output[];
  readonly platform: Platform | null;
  readonly metadata: OpMetadata;
  readonly at: readonly SourceRange[];
}

/** Output `index` of a step; null stands for the empty tree. */
export interface Output {
  readonly node: Node;
  readonly index: number;
}
