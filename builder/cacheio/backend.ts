import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { PushBlob } from "../registry/pushBlob.js";
import type { SharedCache } from "./sharedCache.js";

/** A cache that was read, and where its blobs are. */
export interface ReadCache {
  readonly cache: SharedCache;
  /** What `sourceAnnotation` says of its blobs. */
  readonly origin: string;
}

/** A cache that builds look things up in. */
export interface CacheSource {
  /** As people know it, "localhost:5000/app:cache". */
  readonly name: string;
  /**
   * All that the cache says, without its layers; several for an image of several platforms.
   * @throws {TbuildError} not_found, corrupt, and why it cannot be reached
   */
  read(opts: StepOpts): Promise<readonly ReadCache[]>;
}

/** A cache that builds are kept in. */
export interface CacheTarget {
  /** "exporting cache to registry", as the progress shows it. */
  readonly step: string;
  /** As people know it. */
  readonly name: string;
  /** What is there, null when nothing that one could add to. @throws {TbuildError} why it cannot be reached */
  read(opts: StepOpts): Promise<TargetState | null>;
  /** Brings a blob of what is there into the content store. @throws {TbuildError} not_found, digest_mismatch */
  fetch(blob: Descriptor, opts: StepOpts): Promise<void>;
  /**
   * Writes the cache in place of `state`. `blobs` has every blob that was not there.
   * "changed": somebody else has written meanwhile, and what is there now may have nothing of ours.
   */
  write(cache: SharedCache, state: TargetState | null, blobs: ReadonlyMap<Digest, PushBlob>, opts: StepOpts): Promise<Written>;
}

/** See {@link CacheTarget.read}. */
export interface TargetState {
  readonly cache: SharedCache;
  /** Differs when what is there differs. */
  readonly version: string;
}

/** See {@link CacheTarget.write}; `metadata` is for the exporter response. */
export type Written = "changed" | { readonly metadata: Readonly<Record<string, string>> };
