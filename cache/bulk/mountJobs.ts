import type { Digest } from "../oci/digest.js";

/** A cache mount to put into packs. */
export interface PackMountInput {
  /** The directory; its record is beside it, see mountPack/mountRecord.ts. */
  readonly path: string;
  /** A mount with more bytes than this is left as it is. */
  readonly maxBytes: number;
  /** The tree that a cache has of it, and how many packs it has; null: none. */
  readonly basis: { readonly tree: string; readonly packs: number } | null;
  /** Two paths for files that are written first, on the store's own file system: the tree's blob, which stays, and another. */
  readonly scratch: readonly [tree: string, other: string];
}

/** What became of it. The packs themselves were emitted, each as one chunk. */
export type PackMountOutput =
  | { readonly kind: "too-large"; readonly bytes: number }
  | {
      readonly kind: "packed";
      /** Of the blob in the file `scratch[0]`. */
      readonly tree: { readonly digest: Digest; readonly size: number };
      /** Packs of the basis that the tree still needs; they come before new ones. */
      readonly kept: readonly number[];
      readonly made: number;
      readonly bytes: number;
      readonly files: number;
      /** Regular files that changed while they were read, and are not in the tree. */
      readonly leftOut: number;
    };

/** A cache mount to make out of packs. */
export interface UnpackMountInput {
  /** Blob of the tree. */
  readonly tree: string;
  /** Files of the packs, in the order that the tree has them. */
  readonly packs: readonly string[];
  /** An empty directory. */
  readonly to: string;
  /** Where the mount will be: its record goes beside. */
  readonly mount: string;
  /** A path on the store's own file system for a file that is written first. */
  readonly scratch: string;
  /** Refuse to write more than this many bytes. */
  readonly maxBytes: number;
}

/** What was in it. */
export interface UnpackMountOutput {
  /** Entries of every kind. */
  readonly files: number;
  readonly bytes: number;
}
