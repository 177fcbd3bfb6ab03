import type { Opts } from "../cache/content/store.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Vertex } from "./graph.js";
import type { StepReporter } from "./progress.js";

/** How the solver sees one kind of op. `R` is the cache's Ref in builder, a string in tests. */
export interface OpRunner<R> {
  /**
   * Says what identifies the step's result, before anything is executed. May do cheap I/O (resolve a tag, ask a
   * server), never the step's work.
   */
  cacheMap(vertex: Vertex, opts: StepOpts): Promise<CacheMap<R>>;
  /** Does the work. `inputs[i]` is the result of the vertex's input i. Returns one result per output of the op. */
  exec(vertex: Vertex, inputs: readonly R[], opts: StepOpts): Promise<readonly R[]>;
}

/** What a step may use while it works. */
export interface StepOpts extends Opts {
  readonly signal: AbortSignal;
  /** Logs, sub-progress and warnings of this vertex. */
  readonly report: StepReporter;
}

/** Identity of a step without its inputs' identities. */
export interface CacheMap<R> {
  /**
   * Digest of what the op does: its bytes without what must not split the cache (names, proxy env, secret values),
   * plus pins such as an image's digest. Null: the step has no identity of its own (a local directory), so that its
   * users must be keyed by content.
   */
  readonly digest: Digest | null;
  /** Readable form of what `digest` covers, kept to explain misses; see KeyParts.attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** One entry per input of the vertex. */
  readonly inputs: readonly InputKey<R>[];
}

/** How one input enters the key. */
export interface InputKey<R> {
  /** Canonical text of which part is read; null for the whole tree. */
  readonly selector: string | null;
  /** True: when the definition key missed, try again with the content key of this input. */
  readonly byContent: boolean;
  /** Content digest of the selected part of the input's result. */
  content(result: R, opts: StepOpts): Promise<ContentKey>;
}

/** See {@link InputKey.content}. */
export interface ContentKey {
  readonly digest: Digest;
  /** Path → digest, when there are few enough to keep. */
  readonly files?: Readonly<Record<string, string>>;
}
