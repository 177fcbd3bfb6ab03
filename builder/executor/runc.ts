import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { cancelled, TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import { spawnProcess, type ChildProcess } from "../../cache/sys/process.js";
import type { Executor, ProcessResult, ProcessSpec, Stdio } from "./executor.js";
import { cgroupVersion, oomKills } from "./host.js";
import { hostsFile, resolvConfFile } from "./netFiles.js";
import { runtimeError } from "./runcLog.js";
import { deleteContainer, runtimeArgs, runtimeEnv } from "./runtimeCommand.js";
import { runtimeSpec } from "./spec.js";
import { mountStubs, type MountTarget } from "./stubs.js";
import { readAccounts, resolveUser } from "./user.js";
import { exitStatus } from "./exitStatus.js";

/** Options of {@link runcExecutor}. */
export interface RuncOptions {
  /** Absolute path of runc or another OCI runtime with its command line. */
  readonly runtime: string;
  /** This process's own directory for bundles and the runtime's state. */
  readonly scratch: string;
  /** GOARCH of this machine, for the seccomp profile. */
  readonly architecture: string;
}

/** Mount points that a container needs in its root file system, besides the step's own. */
const SYSTEM_TARGETS: readonly MountTarget[] = [
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
      using bundle = makeBundle(options, process);
      using _stubs = mountStubs(process.rootfs, [...SYSTEM_TARGETS, ...mountTargets(process)]);
      return await runContainer(options, bundle, process, opts);
    },
  };
}

interface Bundle extends Disposable {
  readonly dir: string;
  readonly log: string;
}

function makeBundle(options: RuncOptions, process: ProcessSpec): Bundle {
  const dir = path.join(options.scratch, "bundles", process.id);
  const hostNetwork = process.network !== "none";
  const user = resolveUser(process.user, readAccounts(process.rootfs));
  const spec = runtimeSpec(process, user, {
    architecture: options.architecture,
    cgroupVersion: cgroupVersion(),
    resolvConf: resolvConfFile(options.scratch, hostNetwork),
    hosts: hostsFile(options.scratch, process.hostname, process.extraHosts),
  });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, "config.json"), JSON.stringify(spec));
  return { dir, log: path.join(dir, "runtime.log"), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

function mountTargets(process: ProcessSpec): readonly MountTarget[] {
  return process.mounts.map((mount) => ({
    dest: mount.dest,
    kind: mount.kind === "bind" && mount.isFile ? "file" : "directory",
  }));
}

async function runContainer(options: RuncOptions, bundle: Bundle, process: ProcessSpec, opts: Opts & Stdio): Promise<ProcessResult> {
  const oomBefore = oomKills();
  const argv = [...runtimeArgs(options.runtime, options.scratch), "--log", bundle.log, "--log-format", "json", "run", "--bundle", bundle.dir, process.id];
  const stdin = opts.stdin === "inherit" ? 0 : "ignore";
  const child = spawnProcess({ argv, env: runtimeEnv(), stdin, stdout: "pipe", stderr: "pipe", setsid: stdin === "ignore" });
  await using _killer = killOnAbort(options, process.id, child, opts.signal);
  const output = [drain(child.stdout, 1, opts), drain(child.stderr, 2, opts)];
  const exit = await child.exited;
  await Promise.all(output);
  if (opts.signal?.aborted === true) throw cancelled(opts.signal);
  return describeExit(exit.exitCode ?? 128 + 9, bundle, oomBefore, opts);
}

/** Resolves when the stream has ended: only then has all output been passed on. */
async function drain(stream: Readable | null, number: 1 | 2, { onOutput }: Stdio): Promise<void> {
  if (stream === null) return;
  stream.on("data", (chunk: Uint8Array) => onOutput(number, chunk));
  await finished(stream).catch(() => {});
}

function describeExit(exitCode: number, bundle: Bundle, oomBefore: number, opts: Stdio): ProcessResult {
  const failure = exitCode === 0 ? null : runtimeError(readLog(bundle.log));
  if (failure !== null && failure.exitCode === null) {
    throw new TbuildError("unavailable", `Cannot start the container: ${failure.message}`);
  }
  if (failure !== null) opts.onOutput(2, Buffer.from(`${failure.message}\n`));
  const { signal } = exitStatus(failure?.exitCode ?? exitCode);
  return { exitCode: failure?.exitCode ?? exitCode, signal, outOfMemory: signal === "SIGKILL" && oomKills() > oomBefore };
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

function readLog(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
