import type { Digest } from "../oci/digest.js";
import type { TarEntry } from "./header.js";

/** An entry of a layer's tar without its bytes. Plain data: it crosses to another thread. */
export interface LayerEntry extends Omit<TarEntry, "xattrs" | "records"> {
  /** Values are latin1, as names are. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** Of a file's content, holes as zeros; null for everything else. */
  readonly digest: Digest | null;
  /** Where a file's bytes begin in the tar; null for a sparse file, whose bytes are not all there. */
  readonly offset: number | null;
}

/** A file's bytes in a tar that is not compressed. */
export interface TarPlace {
  readonly tar: string;
  readonly offset: number;
  readonly size: number;
}

/** Where two files begin to differ, with what stands there in both. */
export interface FirstDifference {
  /** Byte of the file; where one ends before it differs, its size. */
  readonly at: number;
  /** Byte of the file that the two pieces begin with. */
  readonly start: number;
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  /** The first bytes of `a`, which tell its format. */
  readonly head: Uint8Array;
}
