import { TbuildError } from "../cache/errors.js";
import { parseDigest } from "../cache/oci/digest.js";
import { hostPlatform } from "../cache/oci/platform.js";
import type { Ref } from "../cache/ref.js";
import type { Store } from "../cache/store.js";
import { dockerfileToDefinition, type FrontendResult } from "../frontend/mod.js";
import { loadGraph, type Vertex } from "../solver/graph.js";
import { createSolver } from "../solver/solve.js";
import { checkSupport } from "./checkSupport.js";
import { checkSources } from "./checkSources.js";
import { buildEpoch, fileEpoch } from "./epoch.js";
import type { Executor } from "./executor/executor.js";
import type { BuildOutput, Exporter, ExportSpec } from "./exporter/exporter.js";
import { createExporter } from "./exporter/mod.js";
import { layerPreparer, type LayerNeeds, type LayerPreparer } from "./image/prepare.js";
import { layerChain } from "./layerChain.js";
import { watched } from "./ops/watched.js";
import { readInputs, type BuildInputs } from "./inputs.js";
import { internalStep, type Report } from "./internalStep.js";
import { opRunner } from "./ops/mod.js";
import { scratchRef, type SnapshotRef } from "./ops/opDeps.js";
import type { RemoteAccess } from "./remote.js";
import type { BuildRequest, BuildResult } from "./request.js";
import { localSource } from "./source/local.js";

/** The parts of a builder that a build uses. */
export interface BuildParts {
  readonly store: Store;
  readonly executor: Executor;
  readonly concurrency: number;
  /** About the configuration, one sentence each. */
  readonly warnings: readonly string[];
  remote(pull: boolean): RemoteAccess;
}

/** One build under way. */
interface Run {
  readonly parts: BuildParts;
  readonly request: BuildRequest;
  readonly inputs: BuildInputs;
  readonly remote: RemoteAccess;
  /** Seconds; see `buildEpoch`. */
  readonly epoch: number | null;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Resolve, solve, export: one build from request to result. */
export async function runBuild(parts: BuildParts, request: BuildRequest, report: Report, signal: AbortSignal): Promise<BuildResult> {
  for (const message of parts.warnings) report({ type: "warning", vertex: null, warning: { rule: null, message, detail: "", url: null, at: null } });
  using remote = parts.remote(request.pull === true);
  const exporters = exportSpecs(request).map((spec) => createExporter(spec, { store: parts.store, refetch: remote.refetch }));
  const inputs = await internalStep(report, "[internal] load build definition", signal, async () => readInputs(request));
  const epoch = await buildEpoch(inputs.context, request.buildArgs ?? {});
  const run: Run = { parts, request, inputs, remote, epoch, report, signal };
  const planned = await plan(run);
  const root = loadGraph(planned.definition);
  checkSupport(root);
  checkSources(root, inputs);
  await using layers = layerPreparer(parts.store, strongestNeeds(exporters), { signal });
  const ref = await solve(run, planned, layerChain(root), layers);
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

async function plan({ request, inputs, remote, epoch, report, signal }: Run): Promise<FrontendResult> {
  const result = await dockerfileToDefinition(inputs.dockerfile.bytes, {
    file: inputs.dockerfile.name,
    target: request.target ?? null,
    buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
    labels: new Map(Object.entries(request.labels ?? {})),
    platform: request.platform ?? hostPlatform(),
    buildPlatform: hostPlatform(),
    noCache: request.noCache === true ? "all" : [],
    ignore: inputs.ignore,
    epoch,
    hostname: null,
    network: request.network ?? "default",
    extraHosts: request.extraHosts ?? [],
    resolveImage: (reference, platform) =>
      internalStep(report, `[internal] load metadata for ${reference}`, signal, (opts) => remote.resolveImage(reference, platform, opts)),
  });
  for (const warning of result.warnings) report({ type: "warning", vertex: null, warning });
  return result;
}

async function solve(
  { parts, request, inputs, remote, epoch, report, signal }: Run,
  { definition, image }: FrontendResult,
  chain: ReadonlySet<Vertex>,
  layers: LayerPreparer,
): Promise<SnapshotRef> {
  const locals = new Map([["context", { path: inputs.context, ignore: inputs.ignore }]]);
  const deps = { store: parts.store, executor: parts.executor, sources: [...remote.sources, localSource(locals)], epoch: fileEpoch(request, epoch, image) };
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
