import type { ApplyOutput } from "../../cache/bulk/layerJobs.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { TarSource } from "../image/writeBlob.js";
import type { ToldBuild } from "./provenanceDefaults.js";

/** A layer of an image that is compared. */
export interface SideLayer {
  readonly diffId: Digest;
  /** Its compressed blob; null where it has none of its own. */
  readonly blob: { readonly digest: Digest; readonly mediaType: string } | null;
  /** Its tar; what is not here yet is fetched when it is asked for. */
  readonly tar: TarSource<ApplyOutput>;
}

/** One platform of an image, wherever it is. */
export interface ImageSide {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly configDigest: Digest;
  /** Base first. */
  readonly layers: readonly SideLayer[];
  /** Seconds that no time in its own layers is later than, by `rewrite-timestamp`; null where nothing says so. */
  readonly rewritten: number | null;
  /** Who is asked what it was built with; null where nothing is said. */
  readonly provenance: () => Promise<ToldBuild | null>;
}

/** An image to verify: its platforms are looked at when they are asked for. */
export interface OpenImage {
  /** In the image's order. */
  readonly platforms: readonly Platform[];
  open(platform: Platform): Promise<ImageSide>;
}
