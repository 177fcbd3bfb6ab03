import { TbuildError } from "../cache/errors.js";
import type { ImageConfig } from "../cache/oci/descriptor.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Platform } from "../cache/oci/platform.js";
import type { ExecMeta, LinuxResources } from "../solver/llb/op.js";
import type { Output } from "../solver/llb/state.js";
import type { Warning } from "../solver/progress.js";

/** What a Dockerfile is turned into a graph with. */
export interface FrontendOptions {
  /** Name for messages and source maps, "Dockerfile". */
  readonly file: string;
  /** Stage to build; null is the last one. */
  readonly target: string | null;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** What to do when the file asks for another frontend: "ignore" is for whoever has looked at that already. */
  readonly foreignSyntax: "refuse" | "ignore";
  readonly labels: ReadonlyMap<string, string>;
  /** The one platform to build for. */
  readonly platform: Platform;
  readonly buildPlatform: Platform;
  /** Which steps have a platform in their name: those of a build for another platform than its own, or all. */
  readonly platformNames: "foreign" | "always";
  /** Stages that must not use the cache: "all", or names. */
  readonly noCache: "all" | readonly string[];
  /** The build context; "local" is the client's directory `local://context`. */
  readonly context: "local" | Output;
  /** Ignore rules of the local context, cleaned; they go into the local source's attributes. */
  readonly ignore: readonly string[];
  /** For `created` of the config and history: seconds since the epoch; null when it comes from the base image. */
  readonly epoch: number | null;
  /** Without an epoch: when the base image was "base", or nothing, which whoever exports fills in: "export". */
  readonly created: "base" | "export";
  /** Seconds since the epoch of what was fetched, for a SOURCE_DATE_EPOCH that is a word; null when it has no time. That of the context may be `epoch`. */
  readonly sourceTime: (source: "context" | Output) => Promise<number | null>;
  /** Hears of the warnings of a file before the error that is wrong with it. */
  readonly warnBeforeError: (warnings: readonly Warning[]) => void;
  /** Hostname of RUN containers; BuildKit's is "buildkitsandbox". */
  readonly hostname: string | null;
  readonly network: "default" | "host" | "none";
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits: ExecMeta["ulimits"];
  /** Cgroup below which RUN containers are made; empty is the builder's own. */
  readonly cgroupParent: string;
  /** Bytes of /dev/shm in RUN; null is the sandbox's default. */
  readonly shmSize: number | null;
  /** Limits of each RUN's cgroup; they change no cache key. */
  readonly resources: LinuxResources | null;
  /** `--build-context` by name; a name may end in `::platform`, which then comes before the plain name. */
  readonly contexts: ReadonlyMap<string, NamedContext>;
  /** The id of a secret of this build whose value is in `text`, or null. Only checks ask; values never come here. */
  readonly findSecret: (text: string) => string | null;
  /** Two things the frontend asks the outside for: what an image name means, and what an OCI layout holds. */
  readonly resolveImage: ImageResolver;
  readonly resolveLayout: LayoutResolver;
}

/**
 * What a name stands for instead of a stage or an image. Source: BuildKit's named contexts, frontend/dockerui/namedcontext.go.
 */
export type NamedContext =
  /** A directory that the builder serves as `local://<name>`, with its own ignore rules. */
  | { readonly kind: "local"; readonly name: string; readonly ignore: readonly string[] }
  | { readonly kind: "scratch" }
  /** Reference as given behind `docker-image://`. */
  | { readonly kind: "image"; readonly reference: string }
  | OciLayout
  /** A file, or an archive that is unpacked. */
  | { readonly kind: "http"; readonly url: string }
  /** A repository by any URL form, with `#ref:dir`. */
  | { readonly kind: "git"; readonly url: string }
  /** What another build came to; null is the empty tree. `config` is that of its image, if it is one. */
  | { readonly kind: "tree"; readonly tree: Output | null; readonly config: ImageConfig | null };

/** An image in an OCI layout of the client. */
export interface OciLayout {
  readonly kind: "oci-layout";
  /** Absolute path of its directory, or what the client calls it, in which case there is a digest. */
  readonly path: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

/**
 * Digest and config of a layout's image for a platform; `reference` of the answer is the layout's identifier. `by` is who asks,
 * for the step's name: "context x". @throws {TbuildError} not_found, corrupt
 */
export type LayoutResolver = (layout: OciLayout, platform: Platform, by?: string) => Promise<ResolvedImage>;

/** A build without any option; what is left to say is for which platform, and how images are resolved. */
export const defaultFrontendOptions: Omit<FrontendOptions, "platform" | "buildPlatform" | "resolveImage"> = {
  file: "Dockerfile",
  target: null,
  buildArgs: new Map(),
  foreignSyntax: "refuse",
  labels: new Map(),
  platformNames: "foreign",
  noCache: [],
  context: "local",
  ignore: [],
  epoch: null,
  created: "base",
  sourceTime: async () => Promise.resolve(null),
  warnBeforeError: () => {},
  hostname: null,
  network: "default",
  extraHosts: [],
  ulimits: [],
  cgroupParent: "",
  shmSize: null,
  resources: null,
  contexts: new Map(),
  findSecret: () => null,
  resolveLayout: async ({ path }) => Promise.reject(new TbuildError("not_found", `Cannot read the OCI layout "${path}": none is open`)),
};

/**
 * Digest and config of an image for a platform. `by` is who asks, for the step's name: "internal", or "context x".
 * @throws {TbuildError} not_found, unauthorized, unavailable
 */
export type ImageResolver = (reference: string, platform: Platform, by?: string) => Promise<ResolvedImage>;

/** See {@link ImageResolver}. */
export interface ResolvedImage {
  /** Full reference, normalised, without digest. */
  readonly reference: string;
  /** Manifest digest that pins it; null for an image of the local store, which is pinned by its config's digest. */
  readonly digest: Digest | null;
  readonly config: ImageConfig;
}
