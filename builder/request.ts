import type { Readable } from "node:stream";
import type { Digest } from "../cache/oci/digest.js";
import type { Platform } from "../cache/oci/platform.js";
import type { Progress } from "../solver/progress.js";
import type { LinuxResources } from "../solver/llb/op.js";
import type { AttestSpecs } from "./attest/options.js";
import type { BindMount } from "./executor/executor.js";
import type { CacheSpec } from "./cacheio/specs.js";
import type { ExportSpec } from "./exporter/exporter.js";
import type { SourceRules } from "./policy/policy.js";
import type { NodeConfig } from "./remote/nodes/node.js";
import type { TlsFiles } from "./remote/tlsFiles.js";

/** One build, fully spelled out. */
export interface BuildRequest {
  /** A directory, a Git repository's URL, the URL of an archive or a Dockerfile, or "-" for one of both from `stdin`. */
  readonly context: string;
  /** Path of the Dockerfile, a URL, or "-" for `stdin`; default `<context>/Dockerfile`. In a context that is fetched it is relative to that. */
  readonly dockerfile?: string | undefined;
  /** What "-" reads; default this process's standard input. */
  readonly stdin?: Readable | undefined;
  /** Names for the image store, "nginx:v3". */
  readonly tags?: readonly string[] | undefined;
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Default: this machine's. Several are built side by side, and make an index. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly noCache?: boolean | undefined;
  /** Ask the registry even when the image store has the base. */
  readonly pull?: boolean | undefined;
  /** Default: the image store. */
  readonly outputs?: readonly ExportSpec[] | undefined;
  /** False: copied files keep their times, as Docker's do; default true: all that tbuild writes carries the build's epoch. */
  readonly reproducible?: boolean | undefined;
  /** Seconds that count as the build's time whatever else says so; null is none. Default: see `buildEpoch`. */
  readonly epoch?: number | null | undefined;
  readonly network?: "default" | "host" | "none" | undefined;
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[] | undefined;
  /** Stages that run every step, whatever the cache has; `noCache` is all of them. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** `--build-context`: a directory, or `docker-image://`, `oci-layout://`, an http or a git URL, by name. */
  readonly buildContexts?: Readonly<Record<string, string>> | undefined;
  readonly secrets?: readonly SecretSpec[] | undefined;
  readonly ssh?: readonly SshSpec[] | undefined;
  /** Which sources may be read, and what instead of some; each has to allow them. Default: all may. */
  readonly sourcePolicies?: readonly SourceRules[] | undefined;
  /** What names of sources stand for is kept in a file. Default: it is found out each time. */
  readonly lock?: LockRequest | undefined;
  /** Entitlements that steps may use: "network.host", "security.insecure", "device", "device=NAME". */
  readonly allow?: readonly string[] | undefined;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[] | undefined;
  readonly cgroupParent?: string | undefined;
  /** Of RUN's containers; default "buildkitsandbox", as in BuildKit. */
  readonly hostname?: string | undefined;
  /** Bytes. */
  readonly shmSize?: number | undefined;
  readonly resources?: Partial<LinuxResources> | undefined;
  /** What is to be said of the result, "provenance" and "sbom", with the attributes of `--attest`. Default: nothing. */
  readonly attest?: AttestSpecs | undefined;
  /** Caches to look results up in. One that cannot be read gives a warning. */
  readonly cacheFrom?: readonly CacheSpec[] | undefined;
  /** Caches to keep the results in; "inline" is inside of the image. */
  readonly cacheTo?: readonly CacheSpec[] | undefined;
}

/** How a build uses its `tbuild.lock`. */
export interface LockRequest {
  /** "record" goes by its entries, and adds those of the sources that it does not know; "require" reads nothing that it does not know. */
  readonly mode: "record" | "require";
  /** Path; default `tbuild.lock` beside the Dockerfile. */
  readonly file?: string | undefined;
}

/** A secret that RUN may mount. Its value is read when a step first asks, at most 500 KiB of it. */
export interface SecretSpec {
  readonly id: string;
  readonly from: { readonly kind: "file"; readonly path: string } | { readonly kind: "env"; readonly name: string };
}

/** What `RUN --mount=type=ssh` reaches: a running agent's socket, or an agent made of private keys. */
export interface SshSpec {
  /** "default" unless given. */
  readonly id: string;
  /** Paths of one socket or of keys; none is $SSH_AUTH_SOCK. */
  readonly paths: readonly string[];
  /** The path is any unix socket, not an agent's. */
  readonly raw: boolean;
}

/** What `tbuild run` does. What is left out is as the image has it. */
export interface RunRequest {
  /** Name or ID in the image store. */
  readonly image: string;
  /** Default: this machine's, or the image's first when it has none for this machine. */
  readonly platform?: Platform | undefined;
  /** Instead of the image's CMD. */
  readonly command?: readonly string[] | undefined;
  /** Instead of the image's ENTRYPOINT; an empty one is none. The image's CMD does not count then. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Further variables, NAME=VALUE; they count before the image's. */
  readonly env?: readonly string[] | undefined;
  /** Created when it is not there. */
  readonly workingDir?: string | undefined;
  /** `user[:group]`. */
  readonly user?: string | undefined;
  readonly network?: "default" | "host" | "none" | undefined;
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[] | undefined;
  readonly readonlyRootfs?: boolean | undefined;
  readonly mounts?: readonly BindMount[] | undefined;
  /** A terminal for the process; standard input must be one, and streams be inherited. */
  readonly terminal?: boolean | undefined;
}

/** Options of one build. */
export interface BuildOpts {
  /** Aborting ends the build. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Name in the history, of letters, digits, "-" and "_": with one the build is remembered in the store, and other processes can follow
   * and end it from its begin, wherever it runs. Default: some name, and `BuilderConfig.history` says whether it is remembered.
   */
  readonly ref?: string | undefined;
}

/** Work under way. */
export interface Task<T> {
  /** Can be iterated once; ends when the work ends, and never throws. */
  readonly progress: AsyncIterable<Progress>;
  /** @throws {TbuildError} why the work failed */
  readonly result: Promise<T>;
}

/** A build under way. */
export type Build = Task<BuildResult>;

/** What a build made. */
export interface BuildResult {
  /** Config digest of the image, as `--iidfile` has it. */
  readonly imageId: Digest | null;
  /** Exporter response, as `--metadata-file` has it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options of `createBuilder`. */
export interface BuilderConfig {
  /**
   * Where tbuildd or buildkitd listens that runs the builds: unix:///PATH, tcp://HOST:PORT, ssh://USER@HOST or
   * docker-container://NAME. Default: builds run in this process. The store is this machine's in any case.
   */
  readonly address?: string | undefined;
  /** Certificates for the address. */
  readonly tls?: TlsFiles | undefined;
  /** Instead of `address`: several machines that share the platforms of a build; see `route`. */
  readonly nodes?: readonly NodeConfig[] | undefined;
  /** Root of the store; default /var/lib/tbuild for root, else $XDG_DATA_HOME/tbuild. */
  readonly root?: string | undefined;
  /** Path of tbuild.toml; default $TBUILD_CONFIG, else /etc/tbuild/tbuild.toml if it exists. */
  readonly configFile?: string | undefined;
  /** A build follows at once: what it will need is started while the store is being opened. */
  readonly warm?: boolean | undefined;
  /** True: builds of this process are remembered in the store; see `tbuild history`. Default false. */
  readonly history?: boolean | undefined;
  /** OCI runtime; default "runc". */
  readonly ociRuntime?: string | undefined;
  /** Steps at a time, instead of what the file says. */
  readonly maxParallelism?: number | undefined;
  /** Directories of CDI specifications, instead of those of the file. */
  readonly cdiDirs?: readonly string[] | undefined;
}
