import { parseDigest } from "../cache/oci/digest.js";
import { topologicalOrder, type Vertex } from "../solver/graph.js";
import type { Warning } from "../solver/progress.js";
import { auditImage } from "./audit/mod.js";
import { checkSecrets } from "./checkSecrets.js";
import { checkEntitlements, type Entitlements } from "./entitlements.js";
import type { BuildOutput, Exporter } from "./exporter/exporter.js";
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
}

/** The second half of a build, whoever planned it: checks the graphs, runs them and exports what they come to. */
export async function finishBuild(run: Running, plans: readonly PlatformPlan[], target: BuildTarget): Promise<BuildResult> {
  const { parts, remote, signal } = run;
  const { exporters, warn, local, aroundHttp, resolved } = target;
  const steps = topologicalOrder(...plans.map(({ root }) => root));
  checkSecrets(steps, run);
  warn(checkEntitlements(steps, target.entitlements, parts.cdiDirs));
  await using layers = layerPreparer(parts.store, strongestNeeds(exporters), { signal });
  const bringHere = bringer(parts.store, remote.refetch);
  const readsFiles = exporters.some((exporter) => exporter.readsFiles);
  const solved = await solveBuild(run, plans, { local, aroundHttp, resolved, bringHere, readsFiles, onLayer: (snapshot) => layers.begin(snapshot) });
  layers.hurry();
  warn(await auditPlatforms(run, plans, solved));
  const platforms = plans.map(({ platform, image, baseDiffIds }, index) => ({ platform, image, baseDiffIds, ref: solved.refs[index]! }));
  return await exportAll({ ...run, bringHere, layers }, exporters, { platforms, root: target.root });
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
function stepsOf(chain: ReadonlySet<Vertex>): readonly Vertex[] {
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
