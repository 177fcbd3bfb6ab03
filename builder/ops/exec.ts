import { mkdirSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { Vertex } from "../../solver/graph.js";
import type { ExecOp } from "../../solver/llb/op.js";
import type { InputKey, OpRunner, StepOpts } from "../../solver/opRunner.js";
import type { BindMount, ProcessSpec } from "../executor/executor.js";
import { selectedInput, wholeInput } from "./contentKey.js";
import { openMounts } from "./execMounts.js";
import { execAttributes } from "./attributes.js";
import { opDigest } from "./opDigest.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./opDeps.js";
import { proxyVariables } from "./proxyEnv.js";
import { newName, snapshotStep } from "./snapshotStep.js";
import { logTail } from "./logTail.js";

const DEFAULT_HOSTNAME = "buildkitsandbox";

/** Runs a process in a sandbox; its root file system becomes the result. */
export function execRunner(deps: OpDeps, op: ExecOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return {
        digest: opDigest(vertex.op),
        attributes: execAttributes(op, vertex.op.platform),
        inputs: vertex.inputs.map((_, index) => inputKey(deps, op, index)),
      };
    },
    exec: async (vertex, inputs, opts) => [await execStep(deps, op, vertex, inputs, opts)],
  };
}

/** What is only mounted to be read counts by its bytes; the root file system by how it was made. */
function inputKey(deps: OpDeps, op: ExecOp, index: number): InputKey<Ref> {
  const mounts = op.mounts.filter((mount) => mount.input === index);
  if (mounts.some((mount) => mount.dest === "/" || !mount.readonly || mount.contentCache === "off")) return wholeInput(deps.store);
  return selectedInput(
    deps.store,
    mounts.map((mount) => ({
      path: path.posix.join("/", mount.selector),
      wildcard: false,
      followSymlink: true,
      dirContents: true,
      include: [],
      exclude: [],
      allowEmpty: false,
    })),
  );
}

async function execStep(deps: OpDeps, op: ExecOp, vertex: Vertex, inputs: readonly Ref[], opts: StepOpts): Promise<SnapshotRef> {
  const id = newName();
  const root = op.mounts.find((mount) => mount.dest === "/");
  if (root === undefined) throw new TbuildError("invalid_argument", `Cannot run "${vertex.name}": the step has no root file system`);
  const at = path.join(deps.store.scratch, "roots", id);
  mkdirSync(at, { recursive: true });
  await using mounts = await openMounts(deps, op, inputs);
  const parent = root.input < 0 ? scratchRef : snapshotInput(inputs[root.input]);
  return await snapshotStep(deps.store, parent, (rootfs) => runProcess(deps, processSpec(op, id, rootfs, mounts.list), opts), at);
}

function snapshotInput(ref: Ref | undefined): SnapshotRef {
  if (ref?.kind === "snapshot") return ref;
  throw new TbuildError("unsupported", "Cannot run a step on a local directory: copy it into a stage first");
}

async function runProcess(deps: OpDeps, spec: ProcessSpec, opts: StepOpts): Promise<void> {
  const tail = logTail();
  const result = await deps.executor.run(spec, {
    signal: opts.signal,
    onOutput: (stream, chunk) => {
      tail.push(chunk);
      opts.report.log(stream, chunk);
    },
  });
  if (result.exitCode === 0) return;
  const how = result.outOfMemory ? `exit code: ${result.exitCode}, out of memory` : `exit code: ${result.exitCode}`;
  throw new TbuildError("process_failed", `Process "${spec.args.join(" ")}" did not complete successfully: ${how}`, {
    process: { argv: spec.args, ...result, logTail: tail.lines() },
  });
}

function processSpec(op: ExecOp, id: string, rootfs: string, mounts: readonly BindMount[]): ProcessSpec {
  const { meta } = op;
  return {
    id: `tbuild-${id}`,
    rootfs,
    readonlyRootfs: op.mounts.some((mount) => mount.dest === "/" && mount.readonly),
    args: meta.args,
    env: [...meta.env, ...proxyVariables(meta.proxyEnv)],
    cwd: meta.cwd,
    user: meta.user,
    mounts,
    network: op.network === "unset" ? "default" : op.network,
    security: op.security,
    hostname: meta.hostname === "" ? DEFAULT_HOSTNAME : meta.hostname,
    extraHosts: meta.extraHosts,
    ulimits: meta.ulimits,
    cgroupParent: meta.cgroupParent,
    shmSize: null,
  };
}
