import { mkdirSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Vertex } from "../../solver/graph.js";
import { defaultPath } from "../../frontend/dockerfile/configImage.js";
import type { ExecOp } from "../../solver/llb/op.js";
import type { InputKey, OpRunner, StepOpts } from "../../solver/opRunner.js";
import type { ProcessResult, ProcessSpec } from "../executor/executor.js";
import { maskedOutput } from "../secrets/maskedOutput.js";
import { wholeInput } from "./contentKey.js";
import { execAttributes } from "./attributes.js";
import { type FailedStep, type FailedTrees, noteFailedStep } from "./failedStep.js";
import { asSnapshot } from "./localCopy.js";
import { opDigest } from "./opDigest.js";
import { type OpDeps, scratchRef } from "./opDeps.js";
import { type OutputTrees, outputTrees } from "./outputTrees.js";
import { secretVariables } from "./mounts/keyFiles.js";
import { openMounts } from "./mounts/openMounts.js";
import { pathsInput } from "./missingPath.js";
import { proxyVariables } from "./proxyEnv.js";
import { mountIdentity } from "./selection.js";
import { newName } from "./snapshotStep.js";
import { logTail } from "./logTail.js";
import { processFailure } from "./processFailure.js";

const DEFAULT_HOSTNAME = "buildkitsandbox";

/** Runs a process in a sandbox; the trees of mounts with an output become the results. */
export function execRunner(deps: OpDeps, op: ExecOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return {
        digest: opDigest(vertex.op),
        attributes: execAttributes(op, vertex.op.platform),
        inputs: vertex.inputs.map((_, index) => inputKey(deps, op, index, vertex)),
      };
    },
    exec: (vertex, inputs, opts) => execStep(deps, absoluteMounts(op), vertex, inputs, opts),
  };
}

/** What is mounted counts by its bytes unless it becomes part of a result; the root file system by how it was made. */
function inputKey(deps: OpDeps, op: ExecOp, index: number, vertex: Vertex): InputKey<Ref> {
  const mounts = op.mounts.filter((mount) => mount.input === index);
  if (mounts.some((mount) => mount.dest === "/" || mount.output >= 0 || mount.contentCache === "off")) return wholeInput(deps.store);
  const selections = mounts.map(({ selector }) => mountIdentity(selector));
  return pathsInput(deps.store, { doing: "mount", index, from: vertex.inputs[index]?.vertex, selections, at: vertex.at[0] });
}

/** Mount points may be relative to where the process starts. */
function absoluteMounts(op: ExecOp): ExecOp {
  if (op.mounts.every(({ dest }) => dest.startsWith("/"))) return op;
  return { ...op, mounts: op.mounts.map((mount) => ({ ...mount, dest: path.posix.resolve("/", op.meta.cwd, mount.dest) })) };
}

async function execStep(deps: OpDeps, op: ExecOp, vertex: Vertex, inputs: readonly Ref[], opts: StepOpts): Promise<readonly Ref[]> {
  const id = newName();
  const root = op.mounts.find((mount) => mount.dest === "/");
  if (root === undefined) throw new TbuildError("invalid_argument", `Cannot run "${vertex.name}": the step has no root file system`);
  const at = path.join(deps.store.scratch, "roots", id);
  mkdirSync(at, { recursive: true });
  await using outputs = outputTrees(deps.store);
  try {
    await using mounts = await openMounts(deps, op, inputs, outputs, opts);
    const parent = await asSnapshot(deps.store, inputs[root.input] ?? scratchRef, opts);
    await using tree = await mountTree(await outputs.prepare(root, parent), at);
    const { linuxResources = null } = vertex.metadata;
    const env = secretVariables(deps.secrets, op.secretEnv);
    await runProcess(deps, vertex, processSpec(op, { id, rootfs: tree.path, env, mounts: mounts.list, resources: linuxResources }), opts);
  } catch (error) {
    if (deps.failed !== undefined && !opts.signal.aborted) noteFailedStep(error, await halfMade(deps.failed, op, inputs, outputs));
    throw error;
  }
  return await outputs.commit();
}

/** What the process has found and left behind its mounts. */
async function halfMade(failed: Pick<FailedTrees, "keep">, { mounts }: ExecOp, inputs: readonly Ref[], outputs: OutputTrees): Promise<FailedStep> {
  const begun = mounts.map(({ input }) => inputs[input] ?? null);
  const left = await outputs.salvage();
  for (const tree of left.values()) await failed.keep(tree);
  return { inputs: begun, mounts: mounts.map((mount, index) => left.get(mount) ?? begun[index]!), subject: null };
}

async function runProcess(deps: OpDeps, vertex: Vertex, spec: ProcessSpec, opts: StepOpts): Promise<void> {
  const tail = logTail();
  const errors = logTail();
  const output = maskedOutput(deps.secrets, (stream, chunk) => {
    tail.push(chunk);
    if (stream === 2) errors.push(chunk);
    opts.report.log(stream, chunk);
  });
  const result = await deps.executor.run(spec, { signal: opts.signal, onOutput: output.push }).finally(output.end);
  if (isValidExit(vertex, result)) return;
  throw processFailure(spec, result, { tail: tail.lines(), errors: errors.lines(), logFile: deps.logs.fileOf(vertex.digest) });
}

/** A step may say which statuses are no failure; a process that a signal ended has failed. */
function isValidExit({ op: { body } }: Vertex, { exitCode, signal }: ProcessResult): boolean {
  const valid = body.kind === "exec" ? body.meta.validExitCodes : [];
  return signal === null && (valid.length === 0 ? exitCode === 0 : valid.includes(exitCode));
}

/** What of a process is not in its op. */
interface Surroundings extends Pick<ProcessSpec, "rootfs" | "mounts" | "resources"> {
  readonly id: string;
  /** Secrets, as further variables. */
  readonly env: readonly string[];
}

/** Programs are found without a PATH too. Source: BuildKit's capability exec.meta.setsdefaultpath. */
function withPath(env: readonly string[]): readonly string[] {
  return env.some((line) => line.startsWith("PATH=")) ? env : [...env, `PATH=${defaultPath}`];
}

function processSpec(op: ExecOp, { id, rootfs, env, mounts, resources }: Surroundings): ProcessSpec {
  const { meta } = op;
  return {
    id: `tbuild-${id}`,
    rootfs,
    readonlyRootfs: op.mounts.some((mount) => mount.dest === "/" && mount.readonly),
    args: meta.args,
    env: [...withPath(meta.env), ...proxyVariables(meta.proxyEnv), ...env],
    cwd: meta.cwd,
    user: meta.user,
    mounts,
    network: op.network === "unset" ? "default" : op.network,
    security: op.security,
    terminal: false,
    hostname: meta.hostname === "" ? DEFAULT_HOSTNAME : meta.hostname,
    extraHosts: meta.extraHosts,
    ulimits: meta.ulimits,
    cgroupParent: meta.cgroupParent,
    resources,
    devices: op.cdiDevices,
  };
}
