import type { Opts } from "../../cache/content/store.js";
import type { LinuxResources } from "../../solver/llb/op.js";

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
  /** The process gets a terminal, which is joined to the one that inherited or given streams are. */
  readonly terminal: boolean;
  readonly hostname: string;
  /** An address of "host-gateway" stands for this machine. */
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  /** Limits by name without RLIMIT_, "nofile"; -1 is unlimited. */
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /** Cgroup below which the container's own is made; empty is tbuild's. */
  readonly cgroupParent: string;
  /** Limits of the container's cgroup; null is none. */
  readonly resources: LinuxResources | null;
  /** Devices of this machine, by CDI name, class of device or `vendor/class=*`. */
  readonly devices: readonly DeviceRequest[];
}

/** A device that the process asks for; one that is optional is left out when nothing describes it. */
export interface DeviceRequest {
  readonly name: string;
  readonly optional: boolean;
}

/** A further mount of the process, in order; one at a place of the system's, such as /dev/shm, takes that place. */
export type BindMount =
  | { readonly kind: "bind"; readonly source: string; readonly dest: string; readonly readonly: boolean; readonly isFile: boolean }
  | { readonly kind: "tmpfs"; readonly dest: string; readonly size: number | null };

/** Where output goes and input comes from. */
export interface Stdio {
  onOutput(stream: 1 | 2, chunk: Uint8Array): void;
  /** "inherit" passes on this process's own (tbuild run); default none. */
  readonly stdin?: "none" | "inherit";
  /** Open descriptors that are the process's standard streams, past all else that is said here; the caller's own. */
  readonly streams?: readonly [stdin: number, stdout: number, stderr: number];
  /** "inherit": straight to where this process's own goes, past `onOutput`; default "capture". */
  readonly output?: "capture" | "inherit";
  /** A descriptor, which stays the caller's, for both input and output of the process: `onOutput` hears of stream 2 alone. */
  readonly socket?: number;
  /** Told when the runtime has been started. `pass` hands a signal on to the process; SIGWINCH goes to its terminal. */
  onStart?(pass: (signal: NodeJS.Signals) => void): void;
}

/** How the process ended. */
export interface ProcessResult {
  /** 128 + n when signal n ended it; 127 and 126 when the command is missing or cannot be executed. */
  readonly exitCode: number;
  /** Name of that signal. */
  readonly signal: string | null;
  /** True when the kernel ended a process of the container for want of memory and the command failed. */
  readonly outOfMemory: boolean;
  /** What the runtime says of a command that it could not execute, else null; it is in the output as well. */
  readonly startError: string | null;
}
