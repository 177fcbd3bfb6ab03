import type { Opts } from "../../cache/content/store.js";

/** `https://spdx.dev/Document`: what is in a tree. */
export const SPDX = "https://spdx.dev/Document";

/** What all types of provenance begin with. */
export const PROVENANCE = "https://slsa.dev/provenance/";

/**
 * Something that is said of one platform's result: an in-toto statement, but for what the result is called, which is known when it
 * is exported. Source: BuildKit, solver/result/attestation.go.
 */
export interface Attestation {
  readonly predicateType: string;
  /** Path of its file; outputs of files take the name. */
  readonly path: string;
  /** Only images have it. */
  readonly inlineOnly: boolean;
  /** Of what it tells; none is the result. */
  readonly subjects: readonly Subject[];
  /** The name of the SBOM that tells of the result itself, when this may be that one. */
  readonly sbomCore: string | null;
  /** The predicate's JSON; no bytes are null. Can be asked for several times, last when the result's layers are packed. */
  content(opts: Opts): Promise<Uint8Array>;
}

/** Of what a statement tells: the result, also under another name ("" is none), or something by its digests. */
export type Subject =
  | { readonly kind: "self"; readonly name: string }
  | { readonly kind: "raw"; readonly name: string; readonly digest: DigestSet };

/** Hex digits by algorithm: `{"sha256": "…"}`. */
export type DigestSet = Readonly<Record<string, string>>;

/** A digest "sha256:…" as statements write it. */
export function digestSet(digest: string): DigestSet {
  const at = digest.indexOf(":");
  return { [digest.slice(0, at)]: digest.slice(at + 1) };
}
