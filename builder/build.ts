import { topologicalOrder } from "../solver/graph.js";
import type { Output } from "../solver/llb/state.js";
import { attestRequest } from "./attest/attestRequest.js";
import { attestOptions } from "./attest/options.js";
import { type CacheRequest, openCaches } from "./cacheio/buildCaches.js";
import { checkSources } from "./checkSources.js";
import { solvedTree } from "./context/solvedTree.js";
import { sourceTime } from "./context/sourceTime.js";
import { cacheMountDropper } from "./dropCacheMounts.js";
import { checkEngine } from "./engine/exporter.js";
import { entitlementsOf } from "./entitlements.js";
import { buildEpoch } from "./epoch.js";
import type { Exporter } from "./exporter/exporter.js";
import { checkLocalDelete } from "./exporter/localDelete.js";
import { createExporter } from "./exporter/mod.js";
import { exportSpecs } from "./exportSpecs.js";
import { finishBuild } from "./finish.js";
import { type BuildInputs, openInputs } from "./inputs.js";
import type { Report } from "./internalStep.js";
import { openLogs } from "./logs/buildLogs.js";
import { planBuild, type PlatformPlan } from "./plan.js";
import { rootKind, targetPlatforms } from "./platforms.js";
import { policyApplier } from "./policy/applyPolicy.js";
import { policedPlans } from "./policy/policedPlans.js";
import { policedRemote } from "./policy/policedRemote.js";
import { requestPolicy } from "./policy/requestPolicy.js";
import type { BuildRequest, BuildResult } from "./request.js";
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
  const startedAt = Date.now();
  using logs = openLogs(parts.store, audience);
  const { report } = logs;
  const warn = warnOnce(report);
  warn(parts.warnings.map((message) => ({ rule: null, message, detail: "", url: null, at: null })));
  const entitlements = entitlementsOf(request);
  const policy = requestPolicy(request);
  using remote = policedRemote(parts.remote({ pull: request.pull === true }), policy);
  const specs = exportSpecs(request);
  checkLocalDelete(specs, request.allow ?? []);
  const attest = attestOptions(request.attest ?? {});
  const attested = attest.provenance !== null || attest.sbom !== null;
  const shape = { platforms: targetPlatforms(request), root: rootKind(request), attested };
  const exporters = sink === undefined ? specs.map((spec) => createExporter(spec, { store: parts.store, shape, refetch: remote.refetch, push: remote.push })) : [sink.exporter];
  await checkEngine(specs, { signal });
  const given = givenTo(request);
  await using caches = await openCaches({ store: parts.store, remote, report, warn, signal, client: null }, cacheRequest(request));
  const opening = { parts, remote, applyPolicy: policyApplier(policy), ...given, pins: sourcePins(), logs, report, signal };
  await using inputs = await openInputs(request, opening);
  const epoch = request.epoch === undefined ? await buildEpoch(inputs, request.buildArgs ?? {}) : request.epoch;
  const run: Run = { ...opening, request, inputs, epoch };
  const timeOf = async (source: "context" | Output) => {
    const fetched = source === "context" ? inputs.contextDownload : source;
    return fetched === null ? null : await sourceTime(fetched, (tree) => solvedTree(opening, tree));
  };
  const plans = await policedPlans(await planBuild({ ...run, sourceTime: timeOf }), run);
  sink?.planned(plans, inputs.dockerfile);
  warn(plans.flatMap(({ warnings }) => warnings));
  const locals = localDirectories(inputs);
  const steps = topologicalOrder(...plans.map(({ root }) => root));
  warn(checkSources(steps, locals, inputs.dockerfile));
  await cacheMountDropper(parts.store)(steps);
  const local = localSource(locals);
  const said = attestRequest({ ...run, startedAt, local, warn, caches }, plans, attest);
  return await finishBuild(run, plans, { exporters, root: shape.root, entitlements, local, warn, attest: said, caches });
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
