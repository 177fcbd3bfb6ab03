import { parseDigest } from "../cache/oci/digest.js";
import { topologicalOrder, type Vertex } from "../solver/graph.js";
import type { Warning } from "../solver/progress.js";
import { auditImage } from "./audit/mod.js";
import { checkSecrets } from "./checkSecrets.js";
import { checkSupport } from "./checkSupport.js";
import { checkSources } from "./checkSources.js";
import { checkEngine } from "./engine/exporter.js";
import { checkEntitlements, entitlementsOf } from "./entitlements.js";
import { buildEpoch } from "./epoch.js";
import type { BuildOutput, Exporter } from "./exporter/exporter.js";
import { checkLocalDelete } from "./exporter/localDelete.js";
import { createExporter } from "./exporter/mod.js";
import { exportSpecs, strongestNeeds } from "./exportSpecs.js";
import { layerPreparer, type LayerPreparer } from "./image/prepare.js";
import { type BuildInputs, openInputs } from "./inputs.js";
import { internalStep, type Report } from "./internalStep.js";
import { openLogs } from "./logs/buildLogs.js";
import { planBuild, type PlatformPlan } from "./plan.js";
import { rootKind, targetPlatforms } from "./platforms.js";
import type { BuildRequest, BuildResult } from "./request.js";
import type { BuildParts, Run } from "./run.js";
import { givenTo } from "./secrets/given.js";
import { type Solved, solveBuild } from "./solveBuild.js";
import type { LocalDirectory } from "./source/local.js";
import { warnOnce } from "./warnOnce.js";

/** Resolve, solve, export: one build from request to result. */
export async function runBuild(parts: BuildParts, request: BuildRequest, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  using logs = openLogs(parts.store, audience);
  const { report } = logs;
  const warn = warnOnce(report);
  warn(parts.warnings.map((message) => ({ rule: null, message, detail: "", url: null, at: null })));
  const entitlements = entitlementsOf(request);
  using remote = parts.remote(request.pull === true);
  const specs = exportSpecs(request);
  checkLocalDelete(specs, request.allow ?? []);
  const shape = { platforms: targetPlatforms(request), root: rootKind(request) };
  const exporters = specs.map((spec) => createExporter(spec, { store: parts.store, shape, refetch: remote.refetch, push: remote.push }));
  await checkEngine(specs, { signal });
  const given = givenTo(request);
  const opening = { parts, remote, ...given, logs, report, signal };
  await using inputs = await openInputs(request, opening);
  const epoch = await buildEpoch(inputs, request.buildArgs ?? {});
  const run: Run = { ...opening, request, inputs, epoch };
  const plans = await planBuild(run);
  warn(plans.flatMap(({ warnings }) => warnings));
  const steps = topologicalOrder(...plans.map(({ root }) => root));
  checkSupport(steps);
  checkSecrets(steps, run);
  warn(checkEntitlements(steps, entitlements, parts.cdiDirs));
  const locals = localDirectories(inputs);
  warn(checkSources(steps, locals, inputs.dockerfile));
  await using layers = layerPreparer(parts.store, strongestNeeds(exporters), { signal });
  const solved = await solveBuild(run, plans, locals, (snapshot) => layers.begin(snapshot));
  layers.hurry();
  warn(await auditPlatforms(run, plans, solved));
  const platforms = plans.map(({ platform, image, baseDiffIds }, index) => ({ platform, image, baseDiffIds, ref: solved.refs[index]! }));
  return await exportAll(run, exporters, layers, { platforms, root: shape.root });
}

/** The context, and every named one that is a directory. */
function localDirectories({ context, ignore, ignoreFile, named }: BuildInputs): ReadonlyMap<string, LocalDirectory> {
  return new Map<string, LocalDirectory>([["context", { path: context, ignore, ignoreFile }], ...named.locals]);
}

/** What was cached was said when it was built. */
async function auditPlatforms({ parts, secrets, signal }: Run, plans: readonly PlatformPlan[], { refs, fresh }: Solved): Promise<readonly Warning[]> {
  const found: Warning[] = [];
  for (const [index, { chain, check }] of plans.entries()) {
    if (![...chain].some(({ digest }) => fresh.has(digest))) continue;
    found.push(...(await auditImage({ store: parts.store, top: refs[index]!.name, steps: stepsOf(chain), secrets, check }, signal)));
  }
  return found;
}

/** The steps that made layers of their own, lowest first. */
function stepsOf(chain: ReadonlySet<Vertex>): readonly Vertex[] {
  return [...chain].filter(({ op }) => op.body.kind !== "source").reverse();
}

async function exportAll({ report, signal }: Run, exporters: readonly Exporter[], layers: LayerPreparer, output: BuildOutput): Promise<BuildResult> {
  const metadata: Record<string, string> = {};
  for (const exporter of exporters) {
    const exported = await internalStep(report, exporter.name, signal, (opts) => exporter.export(output, { ...opts, layers }));
    Object.assign(metadata, exported.metadata);
  }
  const imageId = metadata["containerimage.config.digest"] ?? metadata["containerimage.digest"];
  return { imageId: imageId === undefined ? null : parseDigest(imageId), metadata };
}
