import type { Digest } from "../../cache/oci/digest.js";
import type { SourceRange } from "../../cache/errors.js";
import type { OpMetadata } from "./op.js";

/**
 * A build graph on the wire (pb.Definition). `def` holds marshalled ops, inputs before their users; an op's digest is
 * sha256 of its bytes. The last entry is the terminal: an op with one input and no body. An empty `def` is `FROM scratch`.
 */
export interface Definition {
  readonly def: readonly Uint8Array[];
  readonly metadata: ReadonlyMap<Digest, OpMetadata>;
  readonly source: SourceMap;
}

/** Which lines of which file an op comes from; unopened by the solver. */
export interface SourceMap {
  readonly infos: readonly SourceInfo[];
  readonly locations: ReadonlyMap<Digest, readonly SourceRange[]>;
}

/** A text that ranges point into. */
export interface SourceInfo {
  readonly filename: string;
  readonly data: Uint8Array;
  readonly language: string;
  /** The graph that the file comes from, as an encoded `pb.Definition`, if somebody has said it. */
  readonly definition?: Uint8Array;
}
