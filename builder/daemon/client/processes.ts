import { constants } from "node:os";
import { hasCode, TbuildError } from "../../../cache/errors.js";
import type { ExecMessage, ExecMessageInput, InitMessage } from "../../api/container.js";
import { grpcCode, toStatus } from "../../api/errors.js";
import type { Entitlements } from "../../entitlements.js";
import type { ProcessResult, ProcessSpec } from "../../executor/executor.js";
import { secretVariables } from "../../ops/mounts/keyFiles.js";
import { newName } from "../../ops/snapshotStep.js";
import { createOutbox, type Outbox } from "../outbox.js";
import type { Container, Containers, ContainerParts } from "./containers.js";
import { openStreams, type ProcessStreams } from "./processStreams.js";

/** What processes of containers are run with. */
export interface ProcessParts extends Pick<ContainerParts, "depsFor"> {
  readonly containers: Pick<Containers, "get">;
  readonly entitlements: Entitlements;
}

/** A process of a client's that runs. */
interface Running {
  readonly streams: ProcessStreams;
  signal(name: string): void;
}

/**
 * Runs processes in containers as a client says, and tells it what they write and how they end. Each is told as started, then
 * what it writes and its exit, at last that there is no more. They end with the call. Source: BuildKit, frontend/gateway.
 * @throws {TbuildError} not_found, invalid_argument, already_exists, permission_denied; for all processes
 */
export async function* runProcesses(parts: ProcessParts, messages: AsyncIterable<ExecMessage>, gone: AbortSignal): AsyncIterable<ExecMessageInput> {
  const outbox = createOutbox<ExecMessageInput>();
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, gone]);
  const ended: Promise<void>[] = [];
  const processes = new Map<string, Running>();
  const reading = (async () => {
    for await (const message of messages) await heard(message);
    await Promise.all(ended);
  })();
  reading.then(() => outbox.end(), (error: unknown) => outbox.end(error));
  try {
    yield* outbox;
  } finally {
    abort.abort();
    outbox.end();
    await Promise.allSettled(ended);
  }

  async function heard(message: ExecMessage): Promise<void> {
    const { processId: id, init } = message;
    if (id === "") throw new TbuildError("invalid_argument", "ProcessID required");
    const running = processes.get(id);
    if (init === null) return tell(message, required(running, id));
    if (running !== undefined) throw new TbuildError("already_exists", `Process ${id} already exists`);
    const container = parts.containers.get(init.containerId);
    try {
      const started = await start(parts, container, { id, init, outbox, signal });
      processes.set(id, started.running);
      ended.push(started.ended);
      started.ended.catch((error: unknown) => outbox.end(error));
    } catch (error) {
      // Other processes of the call go on, and clients wait for the end of one that they have asked for.
      await outbox.push({ processId: id, started: {} });
      await outbox.push({ processId: id, exit: failedExit(error) });
      await outbox.push({ processId: id, done: {} });
    }
  }
}

function tell({ file, resize, signal }: ExecMessage, { streams, signal: send }: Running): void {
  if (file !== null && file.fd === 0) streams.write(file.data, file.eof);
  if (resize !== null) {
    streams.resize(resize.rows, resize.cols);
    send("WINCH");
  }
  if (signal !== null) send(signal.name);
}

function required(running: Running | undefined, id: string): Running {
  if (running !== undefined) return running;
  throw new TbuildError("not_found", `IO for process "${id}" not found`);
}

interface Starting {
  readonly id: string;
  readonly init: InitMessage;
  readonly outbox: Outbox<ExecMessageInput>;
  readonly signal: AbortSignal;
}

/** Resolves when the process has been started. */
async function start(parts: ProcessParts, container: Container, { id, init, outbox, signal }: Starting): Promise<{ readonly running: Running; readonly ended: Promise<void> }> {
  const spec = await processSpec(parts, container, init);
  const streams = openStreams(init.tty, init.fds);
  const killed = new AbortController();
  const controls = { pass: (_signal: NodeJS.Signals): void => {} };
  const kill = AbortSignal.any([killed.signal, container.over]);
  const aborts = AbortSignal.any([signal, container.signal, kill]);
  let onStart = () => {};
  const started = new Promise<void>((resolve) => (onStart = resolve));
  const exit = container.during(
    container.deps.executor.run(spec, {
      signal: aborts,
      onOutput: () => {},
      streams: streams.child,
      onStart(pass) {
        controls.pass = pass;
        streams.started();
        onStart();
      },
    }),
  );
  const result = exit.catch((error: unknown): ProcessResult => {
    if (kill.aborted && !signal.aborted && !container.signal.aborted && hasCode(error, "cancelled")) return { exitCode: 128 + 9, signal: "SIGKILL", outOfMemory: false, startError: null };
    throw error;
  });
  try {
    await Promise.race([started, result]);
  } catch (error) {
    streams[Symbol.dispose]();
    throw error;
  }
  const send = (name: string) => (name === "KILL" ? killed.abort() : controls.pass(signalOf(name)));
  return { running: { streams, signal: send }, ended: report(id, { container, streams, result, outbox }) };
}

interface Reporting extends Pick<Starting, "outbox"> {
  readonly container: Container;
  readonly streams: ProcessStreams;
  readonly result: Promise<ProcessResult>;
}

async function report(processId: string, { container, streams, result, outbox }: Reporting): Promise<void> {
  using _ = streams;
  await outbox.push({ processId, started: {} });
  const written = streams.outputs.map(async ({ fd, output }) => {
    for await (const data of output) await outbox.push({ processId, file: { fd, data } });
    await outbox.push({ processId, file: { fd, eof: true } });
  });
  // Of one that fails when the process does, the process's error tells more.
  for (const one of written) one.catch(() => {});
  const exit = await result.then(exitOf, (error: unknown) => {
    // When the build or the call is over, so is what is told about its processes.
    if (hasCode(error, "cancelled") && !container.released()) throw error;
    return failedExit(error);
  });
  // One that was killed before it began has not taken its descriptors.
  streams.started();
  streams.ended();
  await outbox.push({ processId, exit });
  await Promise.all(written);
  await outbox.push({ processId, done: {} });
}

type Exit = NonNullable<ExecMessageInput["exit"]>;

function exitOf({ exitCode }: ProcessResult): Exit {
  return { code: exitCode, error: exitCode === 0 ? null : { code: grpcCode.unknown, message: `exit code: ${exitCode}` } };
}

/** Status of a process that has none: it could not be run. Source: BuildKit, frontend/gateway/pb/exit.go. */
const UNKNOWN_EXIT = 255;

function failedExit(error: unknown): Exit {
  return { code: UNKNOWN_EXIT, error: toStatus(error) };
}

async function processSpec({ depsFor, entitlements }: ProcessParts, container: Container, init: InitMessage): Promise<ProcessSpec> {
  const { meta, secretEnv, tty } = init;
  const security = SECURITY_MODES[init.security];
  if (meta === null || meta.args.length === 0) throw new TbuildError("invalid_argument", "Cannot start a process without a command");
  if (security === undefined) throw new TbuildError("invalid_argument", `invalid security mode ${init.security}`);
  if (security === "insecure" && !entitlements.securityInsecure) throw new TbuildError("permission_denied", "security.insecure is not allowed");
  const { secrets } = await depsFor({ secrets: secretEnv.map(({ id }) => id), agents: [] });
  const missing = secretEnv.find(({ id, optional }) => !optional && secrets.get(id) === null);
  if (missing !== undefined) throw new TbuildError("not_found", `secret ${missing.id}: not found`);
  const { root, readonlyRoot, mounts, network, hostname, extraHosts } = container;
  return {
    id: `tbuild-${newName()}`,
    rootfs: root,
    readonlyRootfs: readonlyRoot,
    args: meta.args,
    env: [...withDefaults(meta.env, container.defaultPath, tty), ...secretVariables(secrets, secretEnv)],
    cwd: meta.cwd,
    user: meta.user,
    mounts,
    network,
    security,
    terminal: tty,
    hostname: hostname === "" ? "buildkitsandbox" : hostname,
    extraHosts,
    ulimits: meta.ulimits,
    cgroupParent: meta.cgroupParent,
    resources: null,
    devices: [],
  };
}

function withDefaults(env: readonly string[], path: string, tty: boolean): readonly string[] {
  const defaults = [`PATH=${path}`, ...(tty ? ["TERM=xterm"] : [])];
  return [...env, ...defaults.filter((line) => !env.some((variable) => variable.startsWith(line.slice(0, line.indexOf("=") + 1))))];
}

const SECURITY_MODES: readonly ProcessSpec["security"][] = ["sandbox", "insecure"];

/** Names on the wire have no SIG, as numbers depend on the machine. */
function signalOf(name: string): NodeJS.Signals {
  const signal = `SIG${name}`;
  if (Object.hasOwn(constants.signals, signal)) return signal as NodeJS.Signals;
  throw new TbuildError("invalid_argument", `Unknown signal ${name}`);
}
