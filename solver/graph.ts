import type { SourceRange } from "../cache/errors.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Op, OpMetadata } from "./llb/op.js";

/** A step of a loaded graph. Two equal ops are one vertex. */
export interface Vertex {
  readonly digest: Digest;
  readonly op: Op;
  readonly metadata: OpMetadata;
  /** Display name. */
  readonly name: string;
  readonly inputs: readonly Edge[];
  /** Where the step comes from, for errors. */
  readonly at: readonly SourceRange[];
}

/** One output of a vertex. */
export interface Edge {
  readonly vertex: Vertex;
  readonly index: number;
}
