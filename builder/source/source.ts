import type { Digest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { StepOpts } from "../../solver/opRunner.js";

/** One kind of source: what an op's `docker-image://`, `local://` or `https://` stands for. */
export interface Source {
  /** Identifier schemes this source serves, "docker-image". */
  readonly schemes: readonly string[];
  /** Finds out what the identifier means now, with as little work as possible. */
  resolve(request: SourceRequest, opts: StepOpts): Promise<ResolvedSource>;
}

/** A source op, opened. */
export interface SourceRequest {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly platform: Platform | null;
}

/** See {@link Source.resolve}. */
export interface ResolvedSource {
  /** Identity of the content; null for what is only known by reading it (a local directory). */
  readonly pin: Digest | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** Brings the content here. */
  snapshot(opts: StepOpts): Promise<Ref>;
  /** For a reader that does not read: names the content, and leaves it where it is. Null when that cannot be done. */
  declare?(): Promise<Ref | null>;
}
