import type { Digest } from "../../cache/oci/digest.js";

/** What `tbuild verify` has found; plain data, as `--format json` prints it. */
export interface VerifyReport {
  /** As asked for. */
  readonly image: string;
  readonly same: boolean;
  readonly platforms: readonly PlatformReport[];
  /** Platforms of the image that cannot be built here. */
  readonly skipped: readonly string[];
}

/** One platform of the image, and what was built for it. */
export interface PlatformReport {
  readonly platform: string;
  readonly same: boolean;
  /** Digests of the configs. They can differ where the configs say the same. */
  readonly config: { readonly image: Digest; readonly rebuilt: Digest; readonly differences: readonly ValueDifference[]; readonly total: number };
  readonly layerCount: { readonly image: number; readonly rebuilt: number };
  /** Of the image, base first. */
  readonly diffIds: readonly Digest[];
  /** Those that differ. */
  readonly layers: readonly LayerReport[];
  /** Own layers whose content is the same, but not their compressed digest; null where an image has none, or differs. */
  readonly compressed: readonly BlobDifference[] | null;
  /** What the rebuild went by. */
  readonly notes: readonly string[];
  /** What may be the cause, as far as the differences show it. */
  readonly hints: readonly string[];
}

/** A field: "config.Env[1]", "mode". Null is none. */
export interface ValueDifference {
  readonly field: string;
  readonly image: string | null;
  readonly rebuilt: string | null;
}

/** A layer with the same content in other bytes. */
export interface BlobDifference {
  /** Counted from 1, base first. */
  readonly layer: number;
  readonly image: Digest;
  readonly rebuilt: Digest;
}

/** Layers that are compared as one: one of each side, or all that differ when there are more of one side. */
export interface LayerReport {
  /** Counted from 1, base first. */
  readonly image: readonly number[];
  readonly rebuilt: readonly number[];
  /** What made it, a line of the Dockerfile or else of the history. */
  readonly step: string | null;
  /** Where that stands: "Dockerfile:3". */
  readonly at: string | null;
  /**
   * "base": of the base image, which is another one now. "form": the same entries, in another order or other headers; "times": the
   * same but for times that make no difference. Of these two the image may still be what is built.
   */
  readonly kind: "base" | "entries" | "form" | "times";
  /** The first ones; those of content before those of attributes, and those of times last. */
  readonly differences: readonly EntryDifference[];
  readonly total: number;
  /** How many of all are of times alone. */
  readonly timesOnly: number;
}

/** A path that both have otherwise, or that only one has. */
export interface EntryDifference {
  /** Absolute. A whiteout is called by the path that it removes. */
  readonly path: string;
  readonly type: string;
  readonly kind: "changed" | "only-image" | "only-rebuilt";
  readonly fields: readonly ValueDifference[];
  readonly content: ContentDifference | null;
}

/** Where the content of a file begins to differ; null where that cannot be told. */
export interface ContentDifference {
  /** Byte of the file, counted from 0. */
  readonly at: number;
  /** Byte that the pieces begin with. */
  readonly start: number;
  /** Hex. */
  readonly image: string;
  readonly rebuilt: string;
}
