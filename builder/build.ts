import { TbuildError } from "../cache/errors.js";
import { parseDigest } from "../cache/oci/digest.js";
import type { Ref } from "../cache/ref.js";
import type { FrontendResult } from "../frontend/mod.js";
import { loadGraph, type Vertex } from "../solver/graph.js";
import { createSolver } from "../solver/solve.js";
import { checkSupport } from "./checkSupport.js";
import { checkSources } from "./checkSources.js";
import { checkEntitlements, entitlementsOf } from "./entitlements.js";
import { buildEpoch, fileEpoch } from "./epoch.js";
import type { BuildOutput, Exporter, ExportSpec } from "./exporter/exporter.js";
import { createExporter } from "./exporter/mod.js";
import { layerPreparer, type LayerNeeds, type LayerPreparer } from "./image/prepare.js";
import { layerChain } from "./layerChain.js";
import { watched } from "./ops/watched.js";
import { readInputs } from "./inputs.js";
import { openLogs } from "./logs/buildLogs.js";
import { internalStep, type Report } from "./internalStep.js";
import { opRunner } from "./ops/mod.js";
import { scratchRef, type SnapshotRef } from "./ops/opDeps.js";
import { planBuild } from "./plan.js";
import type { BuildRequest, BuildResult } from "./request.js";
import type { BuildParts, Run } from "./run.js";
import { createAgents } from "./secrets/createAgents.js";
import { createSecrets } from "./secrets/createSecrets.js";
import { type LocalDirectory, localSource } from "./source/local.js";

/** Resolve, solve, export: one build from request to result. */
export async function runBuild(parts: BuildParts, request: BuildRequest, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  using logs = openLogs(parts.store, audience);
  const { report } = logs;
  for (const message of parts.warnings) report({ type: "warning", vertex: null, warning: { rule: null, message, detail: "", url: null, at: null } });
  const entitlements = entitlementsOf(request);
  using remote = parts.remote(request.pull === true);
  const exporters = exportSpecs(request).map((spec) => createExporter(spec, { store: parts.store, refetch: remote.refetch }));
  const inputs = await internalStep(report, "[internal] load build definition", signal, async () => readInputs(request));
  const epoch = await buildEpoch(inputs.context, request.buildArgs ?? {});
  const run: Run = { parts, request, inputs, remote, secrets: createSecrets(request.secrets ?? []), agents: createAgents(request.ssh ?? []), epoch, logs, report, signal };
  const planned = await planBuild(run);
  const root = loadGraph(planned.definition);
  checkSupport(root);
  for (const warning of checkEntitlements(root, entitlements, parts.cdiDirs)) report({ type: "warning", vertex: null, warning });
  const locals = new Map([["context", { path: inputs.context, ignore: inputs.ignore, ignoreFile: inputs.ignoreFile }]]);
  for (const warning of checkSources(root, locals, inputs.dockerfile)) report({ type: "warning", vertex: null, warning });
  await using layers = layerPreparer(parts.store, strongestNeeds(exporters), { signal });
  const ref = await solve(run, planned, locals, layerChain(root), layers);
  layers.hurry();
  return await exportAll(run, exporters, layers, { platforms: [{ platform: planned.platform, ref, image: planned.image }] });
}

function exportSpecs(request: BuildRequest): readonly ExportSpec[] {
  const name = (request.tags ?? []).join(",");
  const specs = request.outputs ?? [];
  if (specs.length === 0) return [{ type: "image", attrs: { name } }];
  return specs.map((spec) => (takesName(spec) && name !== "" ? { ...spec, attrs: { name, ...spec.attrs } } : spec));
}

function takesName(spec: ExportSpec): boolean {
  return spec.type === "image" || spec.type === "oci" || spec.type === "docker";
}

/** Blobs serve an exporter that needs diff IDs as well. */
function strongestNeeds(exporters: readonly Exporter[]): LayerNeeds {
  const kinds: readonly LayerNeeds["kind"][] = ["blobs", "diff-ids", "nothing"];
  const sorted = exporters.map(({ needs }) => needs).sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return sorted[0] ?? { kind: "nothing" };
}

async function solve(
  { parts, request, remote, secrets, agents, epoch, logs, report, signal }: Run,
  { definition, image }: FrontendResult,
  locals: ReadonlyMap<string, LocalDirectory>,
  chain: ReadonlySet<Vertex>,
  layers: LayerPreparer,
): Promise<SnapshotRef> {
  const sources = [...remote.sources, localSource(locals)];
  const deps = { store: parts.store, executor: parts.executor, sources, secrets, agents, logs, epoch: fileEpoch(request, epoch, image) };
  const inImage = new Set([...chain].map(({ digest }) => digest));
  const begin = (ref: Ref) => void (ref.kind === "snapshot" && ref.name !== null && layers.begin(ref.name));
  const solver = createSolver<Ref>({
    runnerFor: (vertex) => (inImage.has(vertex.digest) ? watched(opRunner(deps, vertex), begin) : opRunner(deps, vertex)),
    index: parts.store.index,
    concurrency: parts.concurrency,
  });
  const ref = (await solver.solve(definition, { signal, report })) ?? scratchRef;
  if (ref.kind !== "snapshot") throw new TbuildError("unsupported", "Cannot export a local directory as an image");
  return ref;
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
