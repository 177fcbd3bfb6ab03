import type { Opts } from "../../cache/content/store.js";

/** Runs one process in a sandbox. */
export interface Executor {
  /** Resolves when the process has ended, whatever its status. @throws {TbuildError} cancelled, unavailable */
  run(process: ProcessSpec, opts: Opts & Stdio): Promise<ProcessResult>;
}

/** The process and the world it sees. */
export interface ProcessSpec {
  /** Unique among the containers of this machine. */
  readonly id: string;
  /** Directory of the mounted root file system. */
  readonly rootfs: string;
  readonly readonlyRootfs: boolean;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]` as in the image; resolved against the rootfs by the executor. */
  readonly user: string;
  readonly mounts: readonly BindMount[];
  readonly network: "default" | "host" | "none";
  readonly security: "sandbox" | "insecure";
  readonly hostname: string;
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly cgroupParent: string;
  readonly shmSize: number | null;
}

/** A further mount of the process, in order. */
export type BindMount =
  | { readonly kind: "bind"; readonly source: string; readonly dest: string; readonly readonly: boolean; readonly isFile: boolean }
  | { readonly kind: "tmpfs"; readonly dest: string; readonly size: number | null };

/** Where output goes and input comes from. */
export interface Stdio {
  onOutput(stream: 1 | 2, chunk: Uint8Array): void;
  /** "inherit" connects the terminal (tbuild run); default none. */
  readonly stdin?: "none" | "inherit";
}

/** How the process ended. */
export interface ProcessResult {
  /** 128 + n when signal n ended it; 127 and 126 when the command is missing or cannot be executed. */
  readonly exitCode: number;
  /** Name of that signal. */
  readonly signal: string | null;
  readonly outOfMemory: boolean;
}
