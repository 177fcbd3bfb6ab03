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
  readonly constraints: readonly string[];
  readonly body: OpBody;
}

export type OpBody = SourceOp | ExecOp | FileOp | MergeOp | DiffOp | BuildOp;

/** Bytes from outside: `docker-image://`, `local://`, `http(s)://`, `git://`, `oci-layout://`. */
export interface SourceOp {
  readonly kind: "source";
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface ExecOp {
  readonly kind: "exec";
  readonly meta: ExecMeta;
  readonly mounts: readonly ExecMount[];
  readonly network: "unset" | "host" | "none";
  readonly security: "sandbox" | "insecure";
  readonly secretEnv: readonly { readonly id: string; readonly name: string; readonly optional: boolean }[];
  readonly cdiDevices: readonly { readonly name: string; readonly optional: boolean }[];
}

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

export interface ProxyEnv {
  readonly http: string;
  readonly https: string;
  readonly ftp: string;
  readonly no: string;
  readonly all: string;
}

export interface ExecMount {
  /** Index in `inputs`, or -1. */
  readonly input: number;
  /** Path inside the input's tree. */
  readonly selector: string;
  readonly dest: string;
  /** Output that the mount's tree becomes, or -1. */
  readonly output: number;
  readonly readonly: boolean;
  readonly type: MountType;
  /** "on" and "off" say whether the content key of this input is used; "default" decides by the kind of mount. */
  readonly contentCache: "default" | "on" | "off";
}

export type MountType =
  | { readonly kind: "bind" }
  | { readonly kind: "cache"; readonly id: string; readonly sharing: "shared" | "private" | "locked" }
  | { readonly kind: "tmpfs"; readonly size: number }
  | { readonly kind: "secret"; readonly id: string; readonly uid: number; readonly gid: number; readonly mode: number; readonly optional: boolean }
  | { readonly kind: "ssh"; readonly id: string; readonly uid: number; readonly gid: number; readonly mode: number; readonly optional: boolean };

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
      /** Nanoseconds since the epoch as decimal text, or -1 to keep. */
      readonly timestamp: bigint;
      readonly includePatterns: readonly string[];
      readonly excludePatterns: readonly string[];
      readonly alwaysReplaceExistingDestPaths: boolean;
      readonly requiredPaths: readonly string[];
    }
  | { readonly kind: "mkfile"; readonly path: string; readonly mode: number; readonly data: Uint8Array; readonly owner: ChownOpt | null; readonly timestamp: bigint }
  | { readonly kind: "mkdir"; readonly path: string; readonly mode: number; readonly makeParents: boolean; readonly owner: ChownOpt | null; readonly timestamp: bigint }
  | { readonly kind: "rm"; readonly path: string; readonly allowNotFound: boolean; readonly allowWildcard: boolean }
  | { readonly kind: "symlink"; readonly oldpath: string; readonly newpath: string; readonly owner: ChownOpt | null; readonly timestamp: bigint };

export interface ChownOpt {
  readonly user: UserOpt | null;
  readonly group: UserOpt | null;
}

/** By name (looked up in input `input`'s passwd or group file) or by id. */
export type UserOpt = { readonly name: string; readonly input: number } | { readonly id: number };

export interface MergeOp {
  readonly kind: "merge";
  readonly inputs: readonly number[];
}

export interface DiffOp {
  readonly kind: "diff";
  readonly lower: number;
  readonly upper: number;
}

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
}
