import type { WireError } from "../errors.js";
import type { Digest } from "../oci/digest.js";
import type { IgnoreRules } from "../tree/patterns.js";

/** A regular file, and what it holds. */
export interface FileDigest {
  /** Relative to the tree's root, as text. */
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/** A file that contains a pattern. */
export interface FoundBytes {
  /** Relative to the tree's root, as text. */
  readonly path: string;
  /** Index in `patterns`. */
  readonly pattern: number;
}

/** Which part of a tree a step reads. Mirrors the fields of pb.FileActionCopy. */
export interface Selection {
  /** Path below the root, "/"-separated, may hold wildcards when `wildcard`. */
  readonly path: string;
  readonly wildcard: boolean;
  /** Follow a symlink that is the path's last component. */
  readonly followSymlink: boolean;
  /** Copying the directory's content does not copy (or hash) the directory's own name. */
  readonly dirContents: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Matching nothing is fine. */
  readonly allowEmpty: boolean;
}

/** Files to compute a content key of. */
export interface HashTreeInput {
  readonly root: string;
  readonly ignore: IgnoreRules;
  readonly selections: readonly Selection[];
  /** True for a local context: owners are not part of the key (they are reset to 0:0 when copied). */
  readonly ignoreOwners: boolean;
  /** Path of the metadata database where file hashes by identity are remembered; null: hash every file. */
  readonly hashCache: string | null;
  /** Return up to this many path → digest pairs for key parts. */
  readonly maxFiles: number;
}

/** A content key, and what it took. */
export interface HashTreeOutput {
  readonly digest: Digest;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that really had to be read (not known by identity). */
  readonly bytesRead: number;
  /** Null when there were more than maxFiles. */
  readonly listing: Readonly<Record<string, string>> | null;
}

/** Files to compute several content keys of. */
export interface HashTreesInput extends Omit<HashTreeInput, "selections"> {
  readonly groups: readonly (readonly Selection[])[];
}

/** What became of one group. */
export type HashOutcome = { readonly output: HashTreeOutput } | { readonly error: WireError };
