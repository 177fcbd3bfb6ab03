import { topologicalOrder } from "../solver/graph.js";
import type { Output } from "../solver/llb/state.js";
import { checkSources } from "./checkSources.js";
import { solvedTree } from "./context/solvedTree.js";
import { sourceTime } from "./context/sourceTime.js";
import { cacheMountDropper } from "./dropCacheMounts.js";
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
import { policyApplier } from "./policy/applyPolicy.js";
import { policedPlans } from "./policy/policedPlans.js";
import { policedRemote } from "./policy/policedRemote.js";
import { requestPolicy } from "./policy/requestPolicy.js";
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
  const policy = requestPolicy(request);
  using remote = policedRemote(parts.remote({ pull: request.pull === true }), policy);
  const specs = exportSpecs(request);
  checkLocalDelete(specs, request.allow ?? []);
  const shape = { platforms: targetPlatforms(request), root: rootKind(request) };
  const exporters = specs.map((spec) => createExporter(spec, { store: parts.store, shape, refetch: remote.refetch, push: remote.push }));
  await checkEngine(specs, { signal });
  const given = givenTo(request);
  const opening = { parts, remote, applyPolicy: policyApplier(policy), ...given, logs, report, signal };
  await using inputs = await openInputs(request, opening);
  const epoch = await buildEpoch(inputs, request.buildArgs ?? {});
  const run: Run = { ...opening, request, inputs, epoch };
  const timeOf = async (source: "context" | Output) => (source === "context" ? null : await sourceTime(source, (tree) => solvedTree(opening, tree)));
  const plans = await policedPlans(await planBuild({ ...run, sourceTime: timeOf }), run);
  warn(plans.flatMap(({ warnings }) => warnings));
  const locals = localDirectories(inputs);
  const steps = topologicalOrder(...plans.map(({ root }) => root));
  warn(checkSources(steps, locals, inputs.dockerfile));
  await cacheMountDropper(parts.store)(steps);
  return await finishBuild(run, plans, { exporters, root: shape.root, entitlements, local: localSource(locals), warn });
}

/** The context, and every named one that is a directory. */
function localDirectories({ context, ignore, ignoreFile, named }: BuildInputs): ReadonlyMap<string, LocalDirectory> {
  return new Map<string, LocalDirectory>([["context", { path: context, ignore, ignoreFile }], ...named.locals]);
}
