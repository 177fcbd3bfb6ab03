import type { Store } from "../../cache/store.js";
import type { controlService } from "../api/control.js";
import type { StatusInput } from "../api/status.js";
import type { WorkerRecordInput } from "../api/worker.js";
import { letGo } from "../gc/letGo.js";
import { readSessionHeaders } from "../session/sessionHeaders.js";
import type { Sessions } from "../session/sessions.js";
import { type BytesMessage, byteStream } from "./byteStream.js";
import type { OpenBuild } from "./daemonBuild.js";
import { type Filter, parseFilters } from "./filter.js";
import type { Call, Handlers } from "./handlers.js";
import type { History } from "./history/history.js";
import { readStatus } from "../history/statusLog.js";
import type { Jobs } from "./jobs.js";
import type { Traces } from "./operation/traces.js";
import { solve } from "./solve.js";
import { pruneStore, usageRecords } from "./space.js";
import { statusWriter } from "../history/status.js";

/** What the control service is made of. */
export interface ControlParts {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly openBuild: OpenBuild;
  readonly sessions: Sessions;
  readonly history: History;
  readonly traces: Traces;
  readonly version: NonNullable<WorkerRecordInput["buildkitVersion"]>;
  workers(): readonly WorkerRecordInput[];
  onBuildEnd(): void;
}

/** How long progress waits for its build: both are asked for side by side. Source: BuildKit, solver/jobs.go. */
const WAIT_MS = 6000;

/** `moby.buildkit.v1.Control`. */
export function controlHandlers(parts: ControlParts): Handlers<typeof controlService.methods> {
  const { store, jobs, history } = parts;
  // A daemon would keep what builds have used for as long as it lives.
  const freeUnused = () => letGo(store, jobs.oldest());
  return {
    Info: () => ({ buildkitVersion: parts.version }),
    ListWorkers: ({ filter }) => ({ record: parts.workers().filter(workerMatches(parseFilters(filter))) }),
    async DiskUsage(request) {
      await freeUnused();
      return { record: await usageRecords(store, request) };
    },
    async *Prune(request, { signal }) {
      await freeUnused();
      yield* await pruneStore(store, request, signal);
    },
    async Solve(request, call) {
      try {
        return await solve(parts, request, call);
      } finally {
        await freeUnused();
        parts.onBuildEnd();
      }
    },
    Status: ({ ref }, call) => progressOf(parts, ref, call),
    Session: (requests, call) => hostSession(parts.sessions, requests, call),
    ListenBuildHistory(request, call) {
      sendTime(call);
      return history.listen(request, call.signal);
    },
    async UpdateBuildHistory({ ref, pinned, delete: remove, finalize }) {
      await freeUnused();
      if (finalize) await history.finalize(ref);
      if (remove) await history.remove(ref);
      else if (!finalize) await history.pin(ref, pinned);
      return {};
    },
  };
}

/** Clients put their clock right with it. */
function sendTime(call: Call): void {
  call.sendHeaders({ "buildkit-current-timestamp": new Date().toISOString() });
}

/** Of a build that runs as it goes on; of one that has ended all that it told. */
async function* progressOf({ store, jobs, history }: ControlParts, ref: string, call: Call): AsyncGenerator<StatusInput> {
  sendTime(call);
  const record = jobs.isRunning(ref) ? undefined : history.find(ref);
  if (record !== undefined) {
    if (record.logs !== null) yield* readStatus(store.content, record.logs, { signal: call.signal });
    return;
  }
  const job = await jobs.find(ref, { waitMs: WAIT_MS, signal: call.signal });
  const writer = statusWriter((file) => job.sources.get(file));
  for await (const events of job.log.read(call.signal)) yield* writer.write(events);
  yield* writer.close(Date.now());
}

async function* hostSession(sessions: Sessions, requests: AsyncIterable<BytesMessage>, { headers, signal }: Call): AsyncGenerator<BytesMessage> {
  const { stream, responses } = byteStream(requests);
  const onGone = () => stream.destroy();
  signal.addEventListener("abort", onGone);
  const offer = readSessionHeaders((name) => (headers[name] === undefined ? [] : [headers[name]]));
  const handled = sessions.serve(stream, offer).finally(() => stream.destroy());
  // It is waited for below, when all has been sent.
  handled.catch(() => {});
  yield* responses;
  await handled;
}

function workerMatches(filter: Filter): (worker: WorkerRecordInput) => boolean {
  return ({ id = "", labels = {} }) => filter((field) => (field === "id" ? id : (labels[field.replace(/^labels\./, "")] ?? null)));
}
