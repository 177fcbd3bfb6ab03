import type { Descriptor } from "../oci/descriptor.js";
import type { Digest } from "../oci/digest.js";
import type { Platform } from "../oci/platform.js";

/** What is known of a committed snapshot as an image layer. */
export interface LayerRecord {
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** True when the layer changes nothing, so that an image leaves it out. */
  readonly empty: boolean;
  /** Blobs of this layer (compressed or not) that are or were in the content store or a registry; best first. */
  readonly blobs: readonly Descriptor[];
}

/** One image of one platform in the image store. Layers base first, parallel to the config's diff_ids. */
export interface ImageManifestRecord {
  readonly platform: Platform;
  /** Digest of the config blob in the content store: the image's ID. */
  readonly config: Digest;
  readonly layers: readonly { readonly snapshot: string; readonly diffId: Digest }[];
}

/** A name in the image store. */
export interface ImageRecord {
  /** Full reference, "docker.io/library/nginx:v3". */
  readonly name: string;
  readonly manifests: readonly ImageManifestRecord[];
  /** Milliseconds since the epoch of the last write of this name. */
  readonly updatedAt: number;
}

/** Un-hashed parts of a cache key, kept so that a miss can be explained. All values are text without secrets. */
export interface KeyParts {
  /** Display name of the step. */
  readonly name: string;
  /** Digest of the op without what must not split the cache. */
  readonly op: Digest;
  /** Readable attributes of the op: "command", "env.PATH", "mount./cache", "platform" … */
  readonly attributes: Readonly<Record<string, string>>;
  readonly inputs: readonly {
    readonly key: string;
    readonly output: number;
    readonly selector: string | null;
    /** Path → digest of each file that a content key was made of, when there are not too many. */
    readonly files?: Readonly<Record<string, string>>;
  }[];
}

/** A stored result. */
export interface CacheRecord {
  /** The key that the step's consumers build their own keys on: the content key where there is one. */
  readonly canonical: string;
  /** Committed snapshot by output index; null is the empty tree. */
  readonly outputs: readonly (string | null)[];
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly parts: KeyParts;
}
