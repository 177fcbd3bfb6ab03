import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../../cache/errors.js";
import type { Ref } from "../../../cache/ref.js";
import { encodeDefinition } from "../../../solver/llb/codec.js";
import type { Definition } from "../../../solver/llb/definition.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { GatewaySolveRequest, ReturnRequest } from "../../api/gateway.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import { logTail } from "../../ops/logTail.js";
import { processFailure } from "../../ops/processFailure.js";
import { newName } from "../../ops/snapshotStep.js";
import { throwAwayRoot } from "../../ops/throwAwayRoot.js";
import type { BuildParts } from "../../run.js";
import { createBridge } from "../bridge.js";
import type { DaemonBuild } from "../daemonBuild.js";
import type { BuildJob } from "../job.js";
import type { FrontendImage } from "./frontendImage.js";
import { serveFrontend } from "./frontendServer.js";
import { frontendSpec } from "./frontendSpec.js";

/** One run of a frontend, and the build that it may ask things of. */
export interface Conversation {
  readonly parts: Pick<BuildParts, "store" | "executor">;
  readonly job: BuildJob;
  readonly build: DaemonBuild;
  /** Id of the client's session; "" is none. */
  readonly session: string;
  readonly workers: readonly WorkerRecordInput[];
  readonly image: FrontendImage;
  /** The image's files, which are here. */
  readonly root: Ref;
  /** The graph that `root` is of. */
  readonly graph: Definition;
  readonly asked: GatewaySolveRequest;
}

/** How long a frontend that has hung up may take to end by itself: its exit status says more. */
const LAST_WORDS_MS = 2000;

/**
 * Runs the program and answers it until it ends; what it returned, null when it returned nothing. Its errors are the step's
 * log. @throws {TbuildError} process_failed, cancelled, unavailable
 */
export async function converse(name: string, conversation: Conversation, { signal, report }: StepOpts): Promise<ReturnRequest | null> {
  const { parts, job, build, root, asked, workers, image } = conversation;
  const { store, executor } = parts;
  const id = newName();
  await using rootfs = await throwAwayRoot(store, root.kind === "snapshot" ? root.name : null, id);
  using metadata = metadataOf(conversation, store.scratch);
  const spec = frontendSpec(image.config, asked.frontendOpt, { ...conversation, id: `tbuild-${id}`, rootfs: rootfs.path, metadata: metadata.path });
  const bridge = createBridge();
  bridge.open(Promise.resolve({ ...build, inputs: asked.frontendInputs }));
  let returned: ReturnRequest | null = null;
  void bridge.returned(signal).then((request) => (returned = request), () => {});
  using hungUp = afterHangUp(() => returned !== null);
  using server = serveFrontend({ report: job.report, sources: job.sources, bridge }, workers, hungUp.tell);
  const tail = logTail();
  const onOutput = (stream: 1 | 2, chunk: Uint8Array) => {
    tail.push(chunk);
    report.log(stream, chunk);
  };
  const running = executor.run(spec, { signal: AbortSignal.any([signal, hungUp.signal]), onOutput, socket: server.socket, onStart: server.handedOver });
  const ended = await running.catch((error: unknown) => {
    if (signal.aborted || !hungUp.signal.aborted) throw error;
    throw new TbuildError("process_failed", `Cannot use the frontend "${name}": it hung up without a result`);
  });
  if (ended.exitCode !== 0 && !failed(returned)) throw processFailure(spec, ended, { tail: tail.lines(), errors: tail.lines(), logFile: null });
  return returned;
}

/** A frontend's own error says more than its exit status. */
function failed(returned: ReturnRequest | null): boolean {
  return (returned?.error?.code ?? 0) !== 0;
}

/** Aborts some time after a frontend has hung up that has not `returned` anything. */
function afterHangUp(returned: () => boolean): Disposable & { readonly signal: AbortSignal; tell(): void } {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: abort.signal,
    tell() {
      if (!returned()) timer = setTimeout(() => abort.abort(), LAST_WORDS_MS);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** What a frontend may know of itself: the graph of its image. */
function metadataOf({ graph }: Conversation, scratch: string): Disposable & { readonly path: string } {
  const dir = mkdtempSync(path.join(scratch, "frontend-"));
  writeFileSync(path.join(dir, "frontend.bin"), encodeDefinition(graph), { mode: 0o400 });
  return { path: dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
