import { topologicalOrder } from "../solver/graph.js";
import { type CacheRequest, openCaches } from "./cacheio/buildCaches.js";
import { checkSources } from "./checkSources.js";
import { checkEngine } from "./engine/exporter.js";
import { entitlementsOf } from "./entitlements.js";
import { buildEpoch } from "./epoch.js";
import { checkLocalDelete } from "./exporter/localDelete.js";
import { createExporter } from "./exporter/mod.js";
import { exportSpecs } from "./exportSpecs.js";
import { finishBuild } from "./finish.js";
import { type BuildInputs, openInputs } from "./inputs.js";
import type { Report } from "./internalStep.js";
import { openLogs } from "./logs/buildLogs.js";
import { planBuild } from "./plan.js";
import { rootKind, targetPlatforms } from "./platforms.js";
import type { BuildRequest, BuildResult } from "./request.js";
import type { BuildParts, Run } from "./run.js";
import { givenTo } from "./secrets/given.js";
import { type LocalDirectory, localSource } from "./source/local.js";
import { warnOnce } from "./warnOnce.js";

/** Resolve, solve, export: one build from request to result. */
export async function runBuild(parts: BuildParts, request: BuildRequest, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  using logs = openLogs(parts.store, audience);
  const { report } = logs;
  const warn = warnOnce(report);
  warn(parts.warnings.map((message) => ({ rule: null, message, detail: "", url: null, at: null })));
  const entitlements = entitlementsOf(request);
  using remote = parts.remote({ pull: request.pull === true });
  const specs = exportSpecs(request);
  checkLocalDelete(specs, request.allow ?? []);
  const shape = { platforms: targetPlatforms(request), root: rootKind(request) };
  const exporters = specs.map((spec) => createExporter(spec, { store: parts.store, shape, refetch: remote.refetch, push: remote.push }));
  await checkEngine(specs, { signal });
  const given = givenTo(request);
  await using caches = await openCaches({ store: parts.store, remote, report, warn, signal, client: null }, cacheRequest(request));
  const opening = { parts, remote, ...given, logs, report, signal };
  await using inputs = await openInputs(request, opening);
  const epoch = await buildEpoch(inputs, request.buildArgs ?? {});
  const run: Run = { ...opening, request, inputs, epoch };
  const plans = await planBuild(run);
  warn(plans.flatMap(({ warnings }) => warnings));
  const locals = localDirectories(inputs);
  warn(checkSources(topologicalOrder(...plans.map(({ root }) => root)), locals, inputs.dockerfile));
  return await finishBuild(run, plans, { exporters, root: shape.root, entitlements, local: localSource(locals), warn, caches });
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
