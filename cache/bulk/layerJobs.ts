import type { Digest } from "../oci/digest.js";
import type { ChangeSource } from "../snapshot/snapshotter.js";

/** Compression of a layer blob or an archive. */
export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

/** A path that a snapshot changes, relative to its root, as text. */
export interface ChangedPath {
  readonly path: string;
  /** "gone": what was below is deleted; "opaque": a directory that hides what was below. */
  readonly kind: "file" | "directory" | "opaque" | "gone";
  /** Bytes of a regular file; else 0. */
  readonly size: number;
}

/** A layer to unpack. */
export interface ApplyInput {
  /** File of the blob. */
  readonly blob: string;
  /** Root of a mounted, writable tree (parents' content visible, so that whiteouts can be honoured). */
  readonly root: string;
  /** Refuse to write more than this many bytes. */
  readonly maxBytes: number;
}

/** What the layer was. */
export interface ApplyOutput {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
}

/** What a layer was that was unpacked apart from those below it. */
export interface ApartOutput extends ApplyOutput {
  /** Whether the layer says what its root's attributes are. */
  readonly root: "own" | "inherited";
  /** What it takes away of the layers below. */
  readonly hidden: readonly HiddenPath[];
}

/** A real path (latin1, relative to the root) of which the layers below show nothing: neither itself, or none of its entries. */
export interface HiddenPath {
  readonly path: string;
  readonly what: "itself" | "entries";
}

/** A layer that lies over those below it now. */
export interface HideInput {
  /** Root of the mounted, writable tree of all of them. */
  readonly root: string;
  /** Directory of what the layer itself brought. */
  readonly own: string;
  readonly hidden: readonly HiddenPath[];
}

/** What the entries of a layer look like: those for Windows are below "Files", with security descriptors. */
export type LayerForm = "linux" | "windows";

/** Changes to write as a layer. */
export interface DiffInput {
  readonly source: ChangeSource;
  /** True: the tar's bytes are also emitted (see JobContext.emit). */
  readonly emit: boolean;
  /** Clamp every entry's mtime to this many seconds since the epoch; null keeps them. */
  readonly clampMtime: number | null;
  /** Default "linux". */
  readonly form?: LayerForm | undefined;
}

/** The layer that was written. */
export interface DiffOutput {
  readonly diffId: Digest;
  readonly size: number;
  /** Entries in the tar; 0 means an empty layer. */
  readonly entries: number;
}
