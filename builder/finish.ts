import { type Digest, parseDigest } from "../cache/oci/digest.js";
import { topologicalOrder, type Vertex } from "../solver/graph.js";
import type { Warning } from "../solver/progress.js";
import type { Attestation } from "./attest/attestation.js";
import { auditImage } from "./audit/mod.js";
import type { BuildCaches } from "./cacheio/buildCaches.js";
import type { ExportedSteps } from "./cacheio/exportCaches.js";
import { inlineCache } from "./cacheio/inlineCache.js";
import { despiteLosses } from "./cacheio/lostLayers.js";
import { checkSecrets } from "./checkSecrets.js";
import { checkEntitlements, type Entitlements } from "./entitlements.js";
import type { BuildOutput, Exporter, PlatformOutput } from "./exporter/exporter.js";
import { strongestNeeds } from "./exportSpecs.js";
import { type BringHere, bringer } from "./image/absent.js";
import type { RootKind } from "./image/packed.js";
import { layerPreparer, type LayerPreparer } from "./image/prepare.js";
import { internalStep } from "./internalStep.js";
import type { PlatformPlan } from "./plan.js";
import type { BuildResult } from "./request.js";
import type { Running } from "./run.js";
import { type Solved, solveBuild } from "./solveBuild.js";
import type { ResolvedOnce } from "./source/resolvedOnce.js";
import type { Source } from "./source/source.js";
import type { Warn } from "./warnOnce.js";

/** Where a planned build goes. */
export interface BuildTarget {
  readonly exporters: readonly Exporter[];
  readonly root: RootKind;
  readonly entitlements: Entitlements;
  /** What `local://` stands for. */
  readonly local: Source;
  /** Stands before downloads. */
  readonly aroundHttp?: ((downloads: Source) => Source) | undefined;
  readonly resolved?: ResolvedOnce | undefined;
  readonly warn: Warn;
  readonly caches: BuildCaches;
  /** Says what is to be attached to each platform's result, in the order of the plans. */
  readonly attest?: Attest | undefined;
}

/** See {@link BuildTarget.attest}. */
export interface Attest {
  /** It looks into the results. */
  readonly readsFiles: boolean;
  make(refs: Solved["refs"], bringHere: BringHere): Promise<readonly (readonly Attestation[])[]>;
}

/** The second half of a build, whoever planned it: checks the graphs, runs them and exports what they come to. */
export async function finishBuild(run: Running, plans: readonly PlatformPlan[], target: BuildTarget): Promise<BuildResult> {
  const { parts } = run;
  const { warn, caches } = target;
  const steps = topologicalOrder(...plans.map(({ root }) => root));
  checkSecrets(steps, run);
  warn(checkEntitlements(steps, target.entitlements, parts.cdiDirs));
  return await despiteLosses(parts.store, caches.lost, warn, () => solveAndExport({ ...run, remote: caches.remote }, plans, target));
}

async function solveAndExport(run: Running, plans: readonly PlatformPlan[], target: BuildTarget): Promise<BuildResult> {
  const { parts, remote, signal } = run;
  const { exporters, warn, local, aroundHttp, resolved, caches } = target;
  await using layers = layerPreparer(parts.store, strongestNeeds(exporters), { signal });
  const bringHere = bringer(parts.store, remote.refetch, caches.lost.note);
  const readsFiles = target.attest?.readsFiles === true || exporters.some((exporter) => exporter.readsFiles);
  const solved = await solveBuild(run, plans, { local, aroundHttp, resolved, bringHere, shared: caches.imports, restoreMount: caches.mounts.restore, readsFiles, onLayer: (snapshot) => layers.begin(snapshot) });
  layers.hurry();
  warn(await auditPlatforms(run, plans, solved));
  const inImage = new Set(plans.flatMap(({ chain }) => [...chain].map(({ digest }) => digest)));
  const said = await target.attest?.make(solved.refs, bringHere);
  const inline = caches.inline ? { known: solved.known, inImage } : null;
  const platforms = plans.map((plan, index) => platformOutput(plan, { ref: solved.refs[index]!, attestations: said?.[index] ?? [] }, inline));
  const { metadata, imageId } = await exportAll({ ...run, bringHere, layers }, exporters, { platforms, root: target.root });
  return { imageId, metadata: { ...metadata, ...(await exportAllCaches(run, target, { steps: solved.known, inImage })) } };
}

/** Loaded by builds that have some. */
async function exportAllCaches({ parts, report, signal }: Running, { caches, warn }: BuildTarget, from: ExportedSteps): Promise<BuildResult["metadata"]> {
  if (caches.exports.length === 0) return {};
  const { exportCaches } = await import("./cacheio/exportCaches.js");
  const { lost, since, exports } = caches;
  return await exportCaches({ store: parts.store, report, warn, signal, lost: lost.blobs, since }, exports, from);
}

/** What an image that has a cache inside says. */
interface InlineSteps {
  readonly known: Solved["known"];
  /** Steps whose results are layers of an image. */
  readonly inImage: ReadonlySet<Digest>;
}

type Made = Pick<PlatformOutput, "ref" | "attestations">;

function platformOutput({ platform, image, baseDiffIds, root }: PlatformPlan, made: Made, cached: InlineSteps | null): PlatformOutput {
  const output = { platform, image, baseDiffIds, ...made };
  if (cached === null) return output;
  const own = new Set(topologicalOrder(root).map(({ digest }) => digest));
  return { ...output, inline: inlineCache(cached.known, own, cached.inImage) };
}

/** What was cached was said when it was built. */
async function auditPlatforms({ parts, secrets, signal }: Running, plans: readonly PlatformPlan[], { refs, fresh }: Solved): Promise<readonly Warning[]> {
  const found: Warning[] = [];
  for (const [index, { chain, check }] of plans.entries()) {
    if (![...chain].some(({ digest }) => fresh.has(digest))) continue;
    found.push(...(await auditImage({ store: parts.store, top: refs[index]!.name, steps: stepsOf(chain), secrets, check }, signal)));
  }
  return found;
}

/** The steps that made layers of their own, lowest first. */
export function stepsOf(chain: ReadonlySet<Vertex>): readonly Vertex[] {
  return [...chain].filter(({ op }) => op.body.kind !== "source").reverse();
}

interface Exporting extends Pick<Running, "report" | "signal"> {
  readonly bringHere: BringHere;
  readonly layers: LayerPreparer;
}

async function exportAll({ report, signal, bringHere, layers }: Exporting, exporters: readonly Exporter[], output: BuildOutput): Promise<BuildResult> {
  const refs = output.platforms.map(({ ref }) => ref);
  const metadata: Record<string, string> = {};
  for (const exporter of exporters) {
    const exported = await internalStep(report, exporter.name, signal, async (opts) => {
      if (exporter.readsFiles) await bringHere(refs, opts);
      return await exporter.export(output, { ...opts, layers });
    });
    Object.assign(metadata, exported.metadata);
  }
  const imageId = metadata["containerimage.config.digest"] ?? metadata["containerimage.digest"];
  return { imageId: imageId === undefined ? null : parseDigest(imageId), metadata };
}
