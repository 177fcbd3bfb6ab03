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
  /** What clients may know of it besides; absent where images are told of otherwise. */
  readonly meta?: SourceMeta;
  /** Brings the content here. */
  snapshot(opts: StepOpts): Promise<Ref>;
  /** For a reader that does not read: names the content, and leaves it where it is. Null when that cannot be done. */
  declare?(): Promise<Ref | null>;
}

/** Bytes of a commit, and of an annotated tag if that names it. */
export interface GitObjects {
  readonly commit: Uint8Array;
  readonly tag: Uint8Array | null;
}

/** What a source stands for now. */
export type SourceMeta =
  | {
      readonly kind: "git";
      /** "refs/heads/main". */
      readonly ref: string;
      /** Digest of what the ref names, which may be an annotated tag. */
      readonly checksum: string;
      readonly commit: string;
      /** What the digests are of. */
      objects(opts: StepOpts): Promise<GitObjects>;
    }
  | {
      readonly kind: "http";
      readonly checksum: Digest;
      readonly filename: string;
      /** Seconds since the epoch; 0 when the server does not say. */
      readonly lastModified: number;
      /** Checksum of the file and then `suffix`, "sha512:…"; `algorithm` is a name that OpenSSL knows. */
      digestWith(algorithm: string, suffix: Uint8Array, opts: StepOpts): Promise<string>;
    };
