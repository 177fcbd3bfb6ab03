import { topologicalOrder } from "../solver/graph.js";
import type { Output } from "../solver/llb/state.js";
import { attestRequest } from "./attest/attestRequest.js";
import { attestOptions } from "./attest/options.js";
import { type CacheRequest, openCaches } from "./cacheio/buildCaches.js";
import { checkSources } from "./checkSources.js";
import { type ContextDeps, solvedTree } from "./context/solvedTree.js";
import { sourceTime } from "./context/sourceTime.js";
import { cacheMountDropper } from "./dropCacheMounts.js";
import { entitlementsOf } from "./entitlements.js";
import { buildEpoch } from "./epoch.js";
import type { Exporter } from "./exporter/exporter.js";
import { finishBuild } from "./finish.js";
import { type BuildInputs, openInputs } from "./inputs.js";
import type { Report } from "./internalStep.js";
import { aboutLock, type BuildLock, openBuildLock, useLock } from "./lock/buildLock.js";
import { findPin } from "./lock/findPin.js";
import { openLogs } from "./logs/buildLogs.js";
import { planBuild, type PlatformPlan } from "./plan.js";
import { rootKind } from "./platforms.js";
import { policyApplier } from "./policy/applyPolicy.js";
import { policedPlans } from "./policy/policedPlans.js";
import { policedRemote } from "./policy/policedRemote.js";
import { inTurn, requestPolicy } from "./policy/requestPolicy.js";
import type { BuildRequest, BuildResult } from "./request.js";
import { requestExporters } from "./requestExporters.js";
import type { BuildParts, Run } from "./run.js";
import { givenTo } from "./secrets/given.js";
import { type LocalDirectory, localSource } from "./source/local.js";
import { sourcePins } from "./source/pins.js";
import type { TextFile } from "./textFile.js";
import { warnOnce } from "./warnOnce.js";

/** Takes a build's result instead of the outputs of its request. */
export interface BuildSink {
  readonly exporter: Exporter;
  /** Hears of what will be solved, once. */
  planned(plans: readonly PlatformPlan[], dockerfile: TextFile): void;
}

/** Resolve, solve, export: one build from request to result. */
export async function runBuild(parts: BuildParts, request: BuildRequest, audience: Report, signal: AbortSignal, sink?: BuildSink): Promise<BuildResult> {
  const known = openBuildLock(request);
  try {
    return await runLocked(parts, request, known, audience, signal, sink);
  } catch (error) {
    throw aboutLock(error, known);
  }
}

async function runLocked(parts: BuildParts, request: BuildRequest, known: BuildLock | null, audience: Report, signal: AbortSignal, sink?: BuildSink): Promise<BuildResult> {
  const startedAt = Date.now();
  using logs = openLogs(parts.store, audience);
  const { report } = logs;
  const warn = warnOnce(report);
  warn(parts.warnings.map((message) => ({ rule: null, message, detail: "", url: null, at: null })));
  const entitlements = entitlementsOf(request);
  const given = givenTo(request);
  using access = parts.remote({ pull: request.pull === true });
  const lock = known === null ? null : useLock(known, (name, opts) => findPin({ store: parts.store, remote: access, ...given }, name, opts), { report, signal });
  const policy = inTurn(requestPolicy(request), lock?.policy ?? null);
  const remote = policedRemote(access, policy);
  const attest = attestOptions(request.attest ?? {});
  const own = await requestExporters(parts.store, request, { attest, remote, warn, signal });
  const exporters = sink === undefined ? own : [sink.exporter];
  await using caches = await openCaches({ store: parts.store, remote, report, warn, signal, client: null }, cacheRequest(request));
  const opening = { parts, remote, applyPolicy: policyApplier(policy), ...given, pins: sourcePins(), logs, report, signal };
  await using inputs = await openInputs(request, opening);
  const epoch = request.epoch === undefined ? await buildEpoch(inputs, request.buildArgs ?? {}) : request.epoch;
  const run: Run = { ...opening, request, inputs, epoch };
  const plans = await policedPlans(await planBuild({ ...run, sourceTime: (source) => timeOf(source, inputs, opening) }), run);
  sink?.planned(plans, inputs.dockerfile);
  warn(plans.flatMap(({ warnings }) => warnings));
  const locals = localDirectories(inputs);
  const steps = topologicalOrder(...plans.map(({ root }) => root));
  warn(checkSources(steps, locals, inputs.dockerfile));
  await cacheMountDropper(parts.store, caches.mounts)(steps);
  const local = localSource(locals);
  const said = attestRequest({ ...run, startedAt, local, warn, caches }, plans, attest);
  const result = await finishBuild(run, plans, { exporters, root: rootKind(request), entitlements, local, warn, attest: said, caches });
  await lock?.finish();
  return result;
}

async function timeOf(source: "context" | Output, { contextDownload }: BuildInputs, deps: ContextDeps): Promise<number | null> {
  const fetched = source === "context" ? contextDownload : source;
  return fetched === null ? null : await sourceTime(fetched, (tree) => solvedTree(deps, tree));
}

/** The build argument is how older tools ask for a cache inside of the image. */
function cacheRequest({ cacheFrom = [], cacheTo = [], buildArgs = {} }: BuildRequest): CacheRequest {
  const asked = /^(?:1|t|true)$/i.test(buildArgs["BUILDKIT_INLINE_CACHE"] ?? "");
  return { from: cacheFrom, to: asked ? [...cacheTo, { type: "inline", attrs: {} }] : cacheTo };
}

/** The context, and every named one that is a directory. */
function localDirectories({ context, ignore, ignoreFile, named }: BuildInputs): ReadonlyMap<string, LocalDirectory> {
  return new Map<string, LocalDirectory>([["context", { path: context, ignore, ignoreFile }], ...named.locals]);
}
