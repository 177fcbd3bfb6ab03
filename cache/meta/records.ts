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
  /** What is said of it, wherever it is written. */
  readonly attestations?: readonly AttestationRecord[];
}

/** A statement about an image, but for its names and digest. */
export interface AttestationRecord {
  readonly predicateType: string;
  readonly path: string;
  readonly inlineOnly: boolean;
  readonly sbomCore: string | null;
  readonly subjects: readonly ({ readonly kind: "self"; readonly name: string } | { readonly kind: "raw"; readonly name: string; readonly digest: Readonly<Record<string, string>> })[];
  /** The predicate, in the content store. */
  readonly predicate: Digest;
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

/** A build that has ended, however it did. What it names by digest stays in the content store as long as the record does. */
export interface BuildRecord {
  /** Chosen by the client. */
  readonly ref: string;
  readonly frontend: string;
  readonly frontendAttrs: Readonly<Record<string, string>>;
  readonly exporters: readonly { readonly type: string; readonly attrs: Readonly<Record<string, string>> }[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly completedAt: number;
  /** `code` is gRPC's number; null when the build succeeded. */
  readonly error: { readonly code: number; readonly message: string } | null;
  /** The error with its details, as an encoded `google.rpc.Status`. */
  readonly errorDetails: Descriptor | null;
  /** All that the build told, as `StatusResponse` messages, each after its length in 4 bytes, the lowest first. */
  readonly logs: Descriptor | null;
  /** What took how long, with what the client says of itself; absent until that has come. */
  readonly trace?: Descriptor;
  readonly exporterResponse: Readonly<Record<string, string>>;
  /** What was exported, as far as its root is in the content store. */
  readonly results: readonly Descriptor[];
  /** What is said of the results, by platform; "" is that of the only one. */
  readonly attestations?: readonly { readonly platform: string; readonly blob: Descriptor }[];
  readonly steps: StepCounts;
  /** Never removed because of its age. */
  readonly pinned: boolean;
  /** How often the record was changed. */
  readonly generation: number;
}

/** How many steps of a build there were, ended, and came from the cache; and how often it warned. */
export interface StepCounts {
  readonly total: number;
  readonly completed: number;
  readonly cached: number;
  readonly warnings: number;
}
