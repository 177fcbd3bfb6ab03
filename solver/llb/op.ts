import type { Digest } from "../../cache/oci/digest.js";
import type { Platform } from "../../cache/oci/platform.js";

/** Output `index` of the op with this digest. */
export interface Input {
  readonly digest: Digest;
  readonly index: number;
}

/**
 * One step of a build as the wire has it (pb.Op). Fields that refer to an input do so by its index in `inputs`;
 * -1 means none. Source: BuildKit solver/pb, see docs/architecture.md.
 */
export interface Op {
  readonly inputs: readonly Input[];
  readonly platform: Platform | null;
  /** Worker filters. Null when the message is absent, which changes the digest; BuildKit's client always writes it. */
  readonly constraints: readonly string[] | null;
  readonly body: OpBody;
}

/** What the step does. */
export type OpBody = SourceOp | ExecOp | FileOp | MergeOp | DiffOp | BuildOp | PassthroughOp;

/** Bytes from outside: `docker-image://`, `local://`, `http(s)://`, `git://`, `oci-layout://`. */
export interface SourceOp {
  readonly kind: "source";
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** A process in a sandbox. Its outputs are what it leaves in mounts with an output. */
export interface ExecOp {
  readonly kind: "exec";
  readonly meta: ExecMeta;
  readonly mounts: readonly ExecMount[];
  readonly network: "unset" | "host" | "none";
  readonly security: "sandbox" | "insecure";
  readonly secretEnv: readonly { readonly id: string; readonly name: string; readonly optional: boolean }[];
  readonly cdiDevices: readonly { readonly name: string; readonly optional: boolean }[];
}

/** The process. */
export interface ExecMeta {
  readonly args: readonly string[];
  /** `K=V`, in order. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, names or ids; empty is root. */
  readonly user: string;
  readonly proxyEnv: ProxyEnv | null;
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly hostname: string;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly cgroupParent: string;
  readonly removeMountStubsRecursive: boolean;
  readonly validExitCodes: readonly number[];
}

/** Proxy variables of the client: given to the process, but no part of cache key or image. */
export interface ProxyEnv {
  readonly http: string;
  readonly https: string;
  readonly ftp: string;
  readonly no: string;
  readonly all: string;
}

/** A tree that the process sees. Mounted in order; the one at "/" is the root. */
export interface ExecMount {
  /** Index in `inputs`, or -1. */
  readonly input: number;
  /** Path inside the input's tree. */
  readonly selector: string;
  readonly dest: string;
  /** Output that the mount's tree becomes, or -1. Always -1 for a secret or ssh mount. */
  readonly output: number;
  readonly readonly: boolean;
  readonly type: MountType;
  /** "on" and "off" say whether the content key of this input is used; "default" decides by the kind of mount. */
  readonly contentCache: "default" | "on" | "off";
}

/** What is mounted. Sizes in bytes, 0 for no limit. */
export type MountType =
  | { readonly kind: "bind" }
  | { readonly kind: "cache"; readonly id: string; readonly sharing: "shared" | "private" | "locked" }
  | { readonly kind: "tmpfs"; readonly size: number }
  | ({ readonly kind: "secret" } & KeyFile)
  | ({ readonly kind: "ssh" } & KeyFile);

/** A secret's file, or an agent's socket, in the step. */
export interface KeyFile {
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** True: nothing is mounted when the client has none; false: the step fails. */
  readonly optional: boolean;
}

/** Changes to a tree without a process; actions in order. */
export interface FileOp {
  readonly kind: "file";
  readonly actions: readonly FileOpAction[];
}

/**
 * `input` and `secondaryInput` index `inputs`, or, from `inputs.length` on, the result of action `i - inputs.length`.
 * -1 is the empty tree. `output` is an output index of the op, or -1 for an intermediate result.
 */
export interface FileOpAction {
  readonly input: number;
  readonly secondaryInput: number;
  readonly output: number;
  readonly action: FileActionBody;
}

/** One change. Paths are absolute in the tree; modes are permission bits. */
export type FileActionBody =
  | {
      readonly kind: "copy";
      readonly src: string;
      readonly dest: string;
      readonly owner: ChownOpt | null;
      /** -1 keeps the source's mode. */
      readonly mode: number;
      readonly modeStr: string;
      readonly followSymlink: boolean;
      readonly dirCopyContents: boolean;
      readonly attemptUnpack: boolean;
      readonly createDestPath: boolean;
      readonly allowWildcard: boolean;
      readonly allowEmptyWildcard: boolean;
      /** Nanoseconds since the epoch, or -1 to keep the source's time. */
      readonly timestamp: bigint;
      readonly includePatterns: readonly string[];
      readonly excludePatterns: readonly string[];
      readonly alwaysReplaceExistingDestPaths: boolean;
      readonly requiredPaths: readonly string[];
    }
  | ({ readonly kind: "mkfile"; readonly path: string; readonly mode: number; readonly data: Uint8Array } & Made)
  | ({ readonly kind: "mkdir"; readonly path: string; readonly mode: number; readonly makeParents: boolean } & Made)
  | { readonly kind: "rm"; readonly path: string; readonly allowNotFound: boolean; readonly allowWildcard: boolean }
  | ({ readonly kind: "symlink"; readonly oldpath: string; readonly newpath: string } & Made);

/** Whose a made file is, and its time. */
export interface Made {
  readonly owner: ChownOpt | null;
  /** Nanoseconds since the epoch, or -1 for the time of the build. */
  readonly timestamp: bigint;
}

/** Owner of what is written; null leaves root, or for a copy the source's owner. */
export interface ChownOpt {
  readonly user: UserOpt | null;
  readonly group: UserOpt | null;
}

/** By name (looked up in input `input`'s passwd or group file) or by id. */
export type UserOpt = { readonly name: string; readonly input: number } | { readonly id: number };

/** Trees on top of each other, lowest first, by index in the op's inputs. */
export interface MergeOp {
  readonly kind: "merge";
  readonly inputs: readonly number[];
}

/** What `upper` changes over `lower`, by index in the op's inputs; -1 is the empty tree. */
export interface DiffOp {
  readonly kind: "diff";
  readonly lower: number;
  readonly upper: number;
}

/** Gives some of its inputs as they are, when all of them are there. */
export interface PassthroughOp {
  readonly kind: "passthrough";
  /** What it is for; opaque. */
  readonly id: string;
  /** Output `i` is the input at this index of the op's inputs. */
  readonly outputs: readonly number[];
}

/** A build inside the build. `def` is a marshalled definition. */
export interface BuildOp {
  readonly kind: "build";
  readonly builder: number;
  readonly inputs: Readonly<Record<string, number>>;
  readonly def: Uint8Array | null;
  readonly attrs: Readonly<Record<string, string>>;
}

/** What travels beside an op and is not part of its digest. Source: pb.OpMetadata. */
export interface OpMetadata {
  readonly ignoreCache: boolean;
  /** "llb.customname" is the display name. */
  readonly description: Readonly<Record<string, string>>;
  readonly caps: readonly string[];
  readonly progressGroup: { readonly id: string; readonly name: string; readonly weak: boolean } | null;
  /** Limits of the step's cgroup. */
  readonly linuxResources?: LinuxResources;
}

/** Limits that do not change what a step produces; 0 and "" mean unset. Source: pb.LinuxResources. */
export interface LinuxResources {
  /** Bytes. */
  readonly memory: number;
  /** Bytes of memory and swap together; -1 is unlimited. */
  readonly memorySwap: number;
  readonly cpuShares: number;
  /** Microseconds. */
  readonly cpuPeriod: number;
  /** Microseconds of each period. */
  readonly cpuQuota: number;
  /** List such as "0-3,5". */
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
}

/** No limit at all. */
export const unlimited: LinuxResources = {
  memory: 0,
  memorySwap: 0,
  cpuShares: 0,
  cpuPeriod: 0,
  cpuQuota: 0,
  cpusetCpus: "",
  cpusetMems: "",
};
