import type { Store } from "../../cache/store.js";
import type { controlService, StatusInput } from "../api/control.js";
import type { WorkerRecordInput } from "../api/worker.js";
import { readSessionHeaders } from "../session/sessionHeaders.js";
import type { Sessions } from "../session/sessions.js";
import { type BytesMessage, byteStream } from "./byteStream.js";
import type { OpenBuild } from "./daemonBuild.js";
import { type Filter, parseFilters } from "./filter.js";
import type { Call, Handlers } from "./handlers.js";
import type { Jobs } from "./jobs.js";
import { solve } from "./solve.js";
import { pruneStore, usageRecords } from "./space.js";
import { statusWriter } from "./status.js";

/** What the control service is made of. */
export interface ControlParts {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly openBuild: OpenBuild;
  readonly sessions: Sessions;
  readonly version: NonNullable<WorkerRecordInput["buildkitVersion"]>;
  workers(): readonly WorkerRecordInput[];
}

/** How long progress waits for its build: both are asked for side by side. Source: BuildKit, solver/jobs.go. */
const WAIT_MS = 6000;

/** `moby.buildkit.v1.Control` but for the history of builds. */
export function controlHandlers(parts: ControlParts): Handlers<typeof controlService.methods> {
  const { store, jobs } = parts;
  // What builds have used is free again when none runs: a daemon would keep it for as long as it lives.
  const letGo = () => void (jobs.idle() && store.unpin());
  return {
    Info: () => ({ buildkitVersion: parts.version }),
    ListWorkers: ({ filter }) => ({ record: parts.workers().filter(workerMatches(parseFilters(filter))) }),
    async DiskUsage(request) {
      letGo();
      return { record: await usageRecords(store, request) };
    },
    async *Prune(request, { signal }) {
      letGo();
      yield* await pruneStore(store, request, signal);
    },
    Solve: (request, call) => solve(parts, request, call).finally(letGo),
    Status: ({ ref }, call) => progressOf(jobs, ref, call),
    Session: (requests, call) => hostSession(parts.sessions, requests, call),
  };
}

async function* progressOf(jobs: Jobs, ref: string, call: Call): AsyncGenerator<StatusInput> {
  // Clients put their clock right with it.
  call.sendHeaders({ "buildkit-current-timestamp": new Date().toISOString() });
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
