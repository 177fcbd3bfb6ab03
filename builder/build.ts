import { parseDigest } from "../cache/oci/digest.js";
import { loadGraph, type Vertex } from "../solver/graph.js";
import type { Warning } from "../solver/progress.js";
import { auditImage } from "./audit/mod.js";
import { checkSecrets } from "./checkSecrets.js";
import { checkSupport } from "./checkSupport.js";
import { checkSources } from "./checkSources.js";
import { checkEntitlements, entitlementsOf } from "./entitlements.js";
import { buildEpoch } from "./epoch.js";
import type { BuildOutput, Exporter } from "./exporter/exporter.js";
import { createExporter } from "./exporter/mod.js";
import { exportSpecs, strongestNeeds } from "./exportSpecs.js";
import { layerPreparer, type LayerPreparer } from "./image/prepare.js";
import { type BuildInputs, readInputs } from "./inputs.js";
import { internalStep, type Report } from "./internalStep.js";
import { layerChain } from "./layerChain.js";
import { openLogs } from "./logs/buildLogs.js";
import { planBuild } from "./plan.js";
import type { BuildRequest, BuildResult } from "./request.js";
import type { BuildParts, Run } from "./run.js";
import { createAgents } from "./secrets/createAgents.js";
import { createSecrets } from "./secrets/createSecrets.js";
import { solveBuild } from "./solveBuild.js";
import type { LocalDirectory } from "./source/local.js";

/** Resolve, solve, export: one build from request to result. */
export async function runBuild(parts: BuildParts, request: BuildRequest, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  using logs = openLogs(parts.store, audience);
  const { report } = logs;
  const warn = (warnings: readonly Warning[]) => warnings.forEach((warning) => report({ type: "warning", vertex: null, warning }));
  warn(parts.warnings.map((message) => ({ rule: null, message, detail: "", url: null, at: null })));
  const entitlements = entitlementsOf(request);
  using remote = parts.remote(request.pull === true);
  const exporters = exportSpecs(request).map((spec) => createExporter(spec, { store: parts.store, refetch: remote.refetch }));
  const inputs = await internalStep(report, "[internal] load build definition", signal, async () => readInputs(request));
  const epoch = await buildEpoch(inputs.context, request.buildArgs ?? {});
  const run: Run = { parts, request, inputs, remote, secrets: createSecrets(request.secrets ?? []), agents: createAgents(request.ssh ?? []), epoch, logs, report, signal };
  const planned = await planBuild(run);
  const root = loadGraph(planned.definition);
  checkSupport(root);
  checkSecrets(root, run);
  warn(checkEntitlements(root, entitlements, parts.cdiDirs));
  const locals = localDirectories(inputs);
  warn(checkSources(root, locals, inputs.dockerfile));
  await using layers = layerPreparer(parts.store, strongestNeeds(exporters), { signal });
  const chain = layerChain(root);
  let changed = false;
  const ref = await solveBuild(run, planned, locals, chain, (snapshot) => {
    changed = true;
    layers.begin(snapshot);
  });
  layers.hurry();
  // What was cached was said when it was built.
  if (changed) warn(await auditImage({ store: parts.store, top: ref.name, steps: stepsOf(chain), secrets: run.secrets, check: planned.check }, signal));
  return await exportAll(run, exporters, layers, { platforms: [{ platform: planned.platform, ref, image: planned.image }] });
}

/** The context, and every named one that is a directory. */
function localDirectories({ context, ignore, ignoreFile, named }: BuildInputs): ReadonlyMap<string, LocalDirectory> {
  return new Map<string, LocalDirectory>([["context", { path: context, ignore, ignoreFile }], ...named.locals]);
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
  const imageId = metadata["containerimage.config.digest"];
  return { imageId: imageId === undefined ? null : parseDigest(imageId), metadata };
}
