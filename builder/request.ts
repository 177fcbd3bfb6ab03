import type { Digest } from "../cache/oci/digest.js";
import type { Platform } from "../cache/oci/platform.js";
import type { Progress } from "../solver/progress.js";
import type { ExportSpec } from "./exporter/exporter.js";

/** One build, fully spelled out. */
export interface BuildRequest {
  /** Directory of the build context. */
  readonly context: string;
  /** Path of the Dockerfile; default `<context>/Dockerfile`. */
  readonly dockerfile?: string | undefined;
  /** Names for the image store, "nginx:v3". */
  readonly tags?: readonly string[] | undefined;
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly platform?: Platform | undefined;
  readonly noCache?: boolean | undefined;
  /** Ask the registry even when the image store has the base. */
  readonly pull?: boolean | undefined;
  /** Default: the image store. */
  readonly outputs?: readonly ExportSpec[] | undefined;
  /** False: copied files keep their times, as Docker's do; default true: all that tbuild writes carries the build's epoch. */
  readonly reproducible?: boolean | undefined;
  readonly network?: "default" | "host" | "none" | undefined;
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[] | undefined;
}

/** A build under way. */
export interface Build {
  /** Can be iterated once; ends when the build ends, and never throws. */
  readonly progress: AsyncIterable<Progress>;
  /** @throws {TbuildError} why the build failed */
  readonly result: Promise<BuildResult>;
}

/** What a build made. */
export interface BuildResult {
  /** Config digest of the image, as `--iidfile` has it. */
  readonly imageId: Digest | null;
  /** Exporter response, as `--metadata-file` has it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options of `createBuilder`. */
export interface BuilderConfig {
  /** Root of the store; default /var/lib/tbuild for root, else $XDG_DATA_HOME/tbuild. */
  readonly root?: string | undefined;
  /** Path of tbuild.toml; default $TBUILD_CONFIG, else /etc/tbuild/tbuild.toml if it exists. */
  readonly configFile?: string | undefined;
  /** A build follows at once: what it will need is started while the store is being opened. */
  readonly warm?: boolean | undefined;
  /** OCI runtime; default "runc". */
  readonly ociRuntime?: string | undefined;
}
