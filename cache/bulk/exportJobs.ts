/** A whole tree to bring out of the store. */
export interface ExportTreeInput {
  readonly root: string;
  /** A directory to merge into, or a tar whose bytes are emitted. */
  readonly to: { readonly kind: "directory"; readonly path: string } | ({ readonly kind: "tar" } & TarPart);
  readonly clampMtime: number | null;
}

/** What one tree is of a tar. */
export interface TarPart {
  /** Directory of the tar that it goes into, made by it; "" is the tar's root. */
  readonly into: string;
  /** Roots of trees that are already in the same place: what they have is left out. */
  readonly after: readonly string[];
  /** False: more is to follow, so that the tar's end is not written. */
  readonly last: boolean;
}

/** A path, relative and as text, at which the trees of these indices differ. */
export interface Overlap {
  readonly path: string;
  readonly first: number;
  readonly second: number;
}

/** A directory that is to hold nothing but some trees. */
export interface MirrorInput {
  readonly path: string;
  /** `under`: name of the tree's own directory there, or "" for the directory itself. */
  readonly trees: readonly { readonly root: string; readonly under: string }[];
}
