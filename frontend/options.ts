import type { ImageConfig } from "../cache/oci/descriptor.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Platform } from "../cache/oci/platform.js";

/** What a Dockerfile is turned into a graph with. */
export interface FrontendOptions {
  /** Name for messages and source maps, "Dockerfile". */
  readonly file: string;
  /** Stage to build; null is the last one. */
  readonly target: string | null;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  /** The one platform to build for. */
  readonly platform: Platform;
  readonly buildPlatform: Platform;
  /** Stages that must not use the cache: "all", or names. */
  readonly noCache: "all" | readonly string[];
  /** Ignore rules of the local context, cleaned; they go into the local source's attributes. */
  readonly ignore: readonly string[];
  /** For `created` of the config and history: seconds since the epoch; null when it comes from the base image. */
  readonly epoch: number | null;
  /** Hostname of RUN containers; BuildKit's is "buildkitsandbox". */
  readonly hostname: string | null;
  readonly network: "default" | "host" | "none";
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  /** The one thing the frontend asks the outside for. */
  readonly resolveImage: ImageResolver;
}

/** Digest and config of an image for a platform. @throws {TbuildError} not_found, unauthorized, unavailable */
export type ImageResolver = (reference: string, platform: Platform) => Promise<ResolvedImage>;

/** See {@link ImageResolver}. */
export interface ResolvedImage {
  /** Full reference, normalised, without digest. */
  readonly reference: string;
  /** Manifest digest that pins it; null for an image of the local store, which is pinned by its config's digest. */
  readonly digest: Digest | null;
  readonly config: ImageConfig;
}
