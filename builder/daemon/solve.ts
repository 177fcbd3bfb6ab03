import { cancelled, isTbuildError } from "../../cache/errors.js";
import { placesOf, vertexOf } from "../../solver/errors.js";
import { toStatus } from "../api/errors.js";
import { stackDetail } from "../api/stackDetail.js";
import type { SolveRequest } from "../api/control.js";
import type { FrontendResultMessage, GatewaySolveRequest } from "../api/gateway.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { Sessions } from "../session/sessions.js";
import { createBridge } from "./bridge.js";
import { outputsOf } from "./client/clientOutputs.js";
import { failedSolveDetails } from "./client/failedSolves.js";
import type { OpenBuild } from "./daemonBuild.js";
import { type Call, StatusError } from "./handlers.js";
import type { BuildEnd } from "../history/buildEnd.js";
import type { History } from "./history/history.js";
import type { BuildStart } from "../history/recordMessage.js";
import type { Job, Jobs } from "./jobs.js";
import { traceParent } from "./operation/buildSpans.js";
import type { Traces } from "./operation/traces.js";

/** What {@link solve} needs of a daemon. */
export interface SolveParts {
  readonly jobs: Jobs;
  readonly openBuild: OpenBuild;
  readonly sessions: Sessions;
  readonly history: History;
  readonly traces: Traces;
}

interface SolveResponse {
  readonly exporterResponse: Readonly<Record<string, string>>;
}

/**
 * One build from request to response, and into the history unless it is the client's own business. Without frontend and graph it
 * is the client that runs the frontend: the build waits for its result. Ends when the client goes.
 */
export async function solve(parts: SolveParts, request: SolveRequest, call: Call): Promise<SolveResponse> {
  const { jobs, sessions, history, traces } = parts;
  const job = jobs.start(request.ref, createBridge());
  const recording = request.internal ? null : history.begin(buildStart(request), job, traces.begin(request.ref, traceParent(call.headers), job.log));
  const onGone = () => job.cancel(call.signal.reason);
  call.signal.addEventListener("abort", onGone);
  if (call.signal.aborted) onGone();
  if (request.session !== "") void endWithSession(sessions, request.session, job);
  const end = await run(parts, request, job).catch((error: unknown) => ({ kind: "failed" as const, error: failure(error, job) }));
  call.signal.removeEventListener("abort", onGone);
  job.log.end();
  await recording?.end(end.kind === "done" ? end : { kind: "failed", status: end.error.status });
  jobs.end(job);
  if (end.kind === "failed") throw end.error;
  return { exporterResponse: end.exporterResponse };
}

async function run({ openBuild }: SolveParts, request: SolveRequest, job: Job): Promise<BuildEnd & { readonly kind: "done" }> {
  const opening = openBuild(request, job);
  job.bridge.open(opening);
  await using build = await opening;
  const result = isGateway(request) ? await fromClient(job) : await build.solve(gatewayRequest(request));
  const exporterResponse = await build.finish(result);
  // A build that is done has not failed because of what is not known of it.
  const said = request.internal ? [] : await build.provenance().catch(() => []);
  return { kind: "done", exporterResponse, said };
}

function failure(error: unknown, job: Job): StatusError {
  return statusError(job.signal.aborted && !isTbuildError(error) ? cancelled(job.signal) : error, job);
}

/** What is recorded of a request: tokens in the URLs of contexts are not. */
function buildStart(request: SolveRequest): BuildStart {
  const { ref, frontend, frontendAttrs } = request;
  const shown = Object.entries(frontendAttrs).map(([key, value]) => [key, /^context(?::|$)/.test(key) ? redacted(value) : value]);
  return { ref, frontend, frontendAttrs: Object.fromEntries(shown), exporters: outputsOf(request), createdAt: Date.now() };
}

/** A client that is gone can neither give what a build asks for nor take what it makes. One that never comes is missed later. */
async function endWithSession(sessions: Sessions, id: string, job: Job): Promise<void> {
  const session = await sessions.get(id, { signal: job.signal }).catch(() => null);
  session?.closed.addEventListener("abort", () => job.cancel(session.closed.reason));
}

function isGateway({ definition, frontend }: SolveRequest): boolean {
  return definition === null && frontend === "";
}

async function fromClient(job: Job): Promise<FrontendResultMessage | null> {
  const { result, error } = await job.bridge.returned(job.signal);
  if (error !== null && error.code !== 0) throw new StatusError(error, undefined);
  return result;
}

function gatewayRequest({ definition, frontend, frontendAttrs, frontendInputs, cache }: SolveRequest): GatewaySolveRequest {
  return {
    definition,
    frontend,
    frontendOpt: frontendAttrs,
    frontendInputs,
    allowResultReturn: true,
    allowResultArrayRef: true,
    final: true,
    exporterAttr: new Uint8Array(),
    cacheImports: cache?.imports ?? [],
    evaluate: false,
    sourcePolicies: [],
  };
}

/** An error of a build with what the client needs to show it: the lines of the Dockerfile, and the step. */
export function statusError(error: unknown, job: Pick<Job, "sources">): StatusError {
  if (error instanceof StatusError) return error;
  const status = toStatus(error, { source: (file) => job.sources.get(file), vertex: vertexOf(error), places: placesOf(error) });
  return new StatusError({ ...status, details: [...status.details, ...failedSolveDetails(error), ...stackDetail(error)] }, error);
}
