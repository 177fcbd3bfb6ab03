import { readFileSync, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { cancelled, TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import { setBlocking } from "../../cache/sys/pipe.js";
import { spawnProcess, type ChildProcess, type SpawnOptions } from "../../cache/sys/process.js";
import { deviceEdits, noEdits, type DeviceEdits } from "../cdi/edits.js";
import { findDevices } from "../cdi/find.js";
import { loadCdi } from "../cdi/registry.js";
import { type Bundle, makeBundle } from "./bundle.js";
import type { Executor, ProcessResult, ProcessSpec, Stdio } from "./executor.js";
import { oomCounter } from "./oom.js";
import { rlimitError } from "./rlimits.js";
import { runtimeError } from "./runcLog.js";
import { deleteContainer, runtimeArgs, runtimeEnv } from "./runtimeCommand.js";
import { mountStubs, type MountTarget } from "./stubs.js";
import { exitStatus } from "./exitStatus.js";

/** Options of {@link runcExecutor}. */
export interface RuncOptions {
  /** Absolute path of runc or another OCI runtime with its command line. */
  readonly runtime: string;
  /** This process's own directory for bundles and the runtime's state. */
  readonly scratch: string;
  /** GOARCH of this machine, for the seccomp profile. */
  readonly architecture: string;
  /** Directories of CDI specifications. */
  readonly cdiDirs: readonly string[];
}

/** Mount points that a container needs in its root file system, besides those of its own mounts. */
export const SYSTEM_TARGETS: readonly MountTarget[] = [
  { dest: "/proc", kind: "directory" },
  { dest: "/sys", kind: "directory" },
  { dest: "/dev", kind: "directory" },
  { dest: "/etc/resolv.conf", kind: "file" },
  { dest: "/etc/hosts", kind: "file" },
];

/** Runs each process in a container of an OCI runtime, with Docker's default sandbox. */
export function runcExecutor(options: RuncOptions): Executor {
  return {
    async run(process, opts) {
      if (opts.signal?.aborted === true) throw cancelled(opts.signal);
      const edits = process.devices.length === 0 ? noEdits : deviceEdits(findDevices(loadCdi(options.cdiDirs), process.devices));
      using bundle = makeBundle(options, process, edits);
      using _stubs = mountStubs(process.rootfs, [...SYSTEM_TARGETS, ...mountTargets(process), ...edits.mounts.map(deviceTarget)]);
      return await runContainer(options, bundle, process, opts);
    },
  };
}

/** Mount points of a process's own mounts. */
export function mountTargets({ mounts }: Pick<ProcessSpec, "mounts">): readonly MountTarget[] {
  return mounts.map((mount) => ({
    dest: mount.dest,
    kind: mount.kind === "bind" && mount.isFile ? "file" : "directory",
  }));
}

function deviceTarget({ hostPath, containerPath }: DeviceEdits["mounts"][number]): MountTarget {
  const isDirectory = statSync(hostPath, { throwIfNoEntry: false })?.isDirectory() !== false;
  return { dest: containerPath, kind: isDirectory ? "directory" : "file" };
}

async function runContainer(options: RuncOptions, bundle: Bundle, process: ProcessSpec, opts: Opts & Stdio): Promise<ProcessResult> {
  const counter = oomCounter(options.scratch, process);
  await using _kept = counter.keeps ? keptContainer(options, process.id) : null;
  const log = ["--log", bundle.log, "--log-format", "json"];
  const run = ["run", ...(counter.keeps ? ["--keep"] : []), "--bundle", bundle.dir, process.id];
  const argv = [...runtimeArgs(options.runtime, options.scratch), ...log, ...run];
  // In a session of its own: the terminal's signals reach this process alone, which passes them on or not.
  const child = spawnProcess({ argv, env: runtimeEnv(), ...streamsOf(opts), setsid: true });
  await using _killer = killOnAbort(options, process.id, child, opts.signal);
  opts.onStart?.((signal) => void child.kill(signal));
  let lastError: Uint8Array = Buffer.alloc(0);
  const onError = (chunk: Uint8Array) => opts.onOutput(2, (lastError = chunk));
  const output = [drain(child.stdout, (chunk) => opts.onOutput(1, chunk)), drain(child.stderr, onError)];
  const exit = await child.exited;
  // A runtime that was killed itself has left its container.
  if (exit.signal !== null) await deleteContainer(options.runtime, options.scratch, process.id);
  await Promise.all(output);
  if (opts.signal?.aborted === true) throw cancelled(opts.signal);
  const failure = exit.exitCode === 0 ? null : runtimeError(readText(bundle.log));
  if (failure?.exitCode === null) throw startError(failure.message, process);
  // runc has printed it as well, crun has not.
  if (failure !== null && opts.output !== "inherit" && !Buffer.from(lastError).includes(failure.message)) opts.onOutput(2, Buffer.from(`${failure.message}\n`));
  const exitCode = failure?.exitCode ?? exit.exitCode ?? 128 + 9;
  const { signal } = exitStatus(exitCode);
  return { exitCode, signal, outOfMemory: exitCode !== 0 && counter.killed(signal), startError: failure?.message ?? null };
}

/** Standard streams of the runtime, which the process inherits. */
function streamsOf({ stdin, output, socket, streams }: Stdio): Pick<SpawnOptions, "stdin" | "stdout" | "stderr"> {
  if (streams !== undefined) return { stdin: streams[0], stdout: streams[1], stderr: streams[2] };
  if (socket !== undefined) return { stdin: socket, stdout: socket, stderr: "pipe" };
  const input = stdin === "inherit" ? 0 : "ignore";
  if (output !== "inherit") return { stdin: input, stdout: "pipe", stderr: "pipe" };
  // Node has made its own streams non-blocking, which programs do not expect of theirs.
  for (const fd of [0, 1, 2]) setBlocking(fd);
  return { stdin: input, stdout: 1, stderr: 2 };
}

function keptContainer({ runtime, scratch }: RuncOptions, id: string): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => deleteContainer(runtime, scratch, id) };
}

function startError(message: string, { ulimits }: ProcessSpec): TbuildError {
  const limit = rlimitError(message, ulimits, readText("/proc/self/limits"));
  return limit ?? new TbuildError("unavailable", `Cannot start the container: ${message}`);
}

/** Resolves when the stream has ended: only then has all output been passed on. */
async function drain(stream: Readable | null, onOutput: (chunk: Uint8Array) => void): Promise<void> {
  if (stream === null) return;
  stream.on("data", onOutput);
  await finished(stream).catch(() => {});
}

/**
 * Ends the container when the signal fires: the runtime forwards no SIGKILL, so that its own `delete --force` is asked,
 * again and again until the run command has ended (the container may not exist yet).
 */
function killOnAbort(options: RuncOptions, id: string, child: ChildProcess, signal: AbortSignal | undefined): AsyncDisposable {
  const running = { now: true };
  let killing: Promise<void> | null = null;
  const kill = async () => {
    for (let attempt = 0; running.now; attempt++) {
      await deleteContainer(options.runtime, options.scratch, id);
      if (attempt > 20 && running.now) child.kill("SIGKILL");
      if (running.now) await Promise.race([child.exited, delay(50)]);
    }
    await deleteContainer(options.runtime, options.scratch, id);
  };
  const onAbort = () => {
    killing ??= kill();
  };
  void child.exited.then(() => (running.now = false));
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted === true) onAbort();
  return {
    [Symbol.asyncDispose]: async () => {
      signal?.removeEventListener("abort", onAbort);
      await killing;
    },
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
