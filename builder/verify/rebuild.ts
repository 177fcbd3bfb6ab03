import type { SourceRange } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import { newLayers } from "../audit/newLayers.js";
import { type BuildSink, runBuild } from "../build.js";
import type { ExportOpts, PlatformOutput } from "../exporter/exporter.js";
import { imageParts } from "../exporter/image.js";
import { stepsOf } from "../finish.js";
import type { SnapshotLayer } from "../image/layers.js";
import { rewriteTimes } from "../image/rewriteTimes.js";
import type { Report } from "../internalStep.js";
import type { PlatformPlan } from "../plan.js";
import { parseImageConfig } from "../registry/manifest.js";
import type { BuildRequest } from "../request.js";
import type { BuildParts } from "../run.js";
import type { TextFile } from "../textFile.js";

/** One platform of what was built to compare an image with. */
export interface Rebuilt {
  readonly platform: string;
  readonly config: ImageConfig;
  readonly configDigest: Digest;
  /** Base first, without empty ones. */
  readonly layers: readonly RebuiltLayer[];
  /** Layers of its base image, base first. */
  readonly baseDiffIds: readonly Digest[];
  readonly dockerfile: TextFile;
}

/** See {@link Rebuilt}. */
export interface RebuiltLayer extends SnapshotLayer {
  /** The instruction that made it; null for a layer of the base. */
  readonly at: SourceRange | null;
}

/** How {@link rebuild} treats times, by platform. */
export type RewriteTimes = ReadonlyMap<string, number | null>;

/**
 * Builds a request and exports nothing. Layers of platforms that are in `rewritten` get no later times than it says.
 * @throws {TbuildError} as {@link runBuild}
 */
export async function rebuild(parts: BuildParts, request: BuildRequest, rewritten: RewriteTimes, report: Report, signal: AbortSignal): Promise<readonly Rebuilt[]> {
  let planned: { readonly plans: readonly PlatformPlan[]; readonly dockerfile: TextFile } | null = null;
  let results: readonly Rebuilt[] = [];
  const sink: BuildSink = {
    planned: (plans, dockerfile) => void (planned = { plans, dockerfile }),
    exporter: {
      name: "looking at the layers",
      needs: { kind: "diff-ids" },
      // Of layers that are still elsewhere the diff IDs are known.
      readsFiles: false,
      async export({ platforms }, opts) {
        const { plans, dockerfile } = planned!;
        results = await Promise.all(platforms.map((output, index) => rebuilt(parts.store, output, plans[index]!, { dockerfile, rewritten, opts })));
        return { metadata: {}, descriptor: null };
      },
    },
  };
  await runBuild(parts, { ...request, tags: [], outputs: [], attest: {}, cacheTo: [] }, report, signal, sink);
  return results;
}

interface How {
  readonly dockerfile: TextFile;
  readonly rewritten: RewriteTimes;
  readonly opts: ExportOpts;
}

async function rebuilt(store: Store, output: PlatformOutput, { chain }: PlatformPlan, { dockerfile, rewritten, opts }: How): Promise<Rebuilt> {
  const platform = formatPlatform(output.platform);
  const latest = rewritten.get(platform) ?? null;
  const change = (layers: readonly SnapshotLayer[]) => rewriteTimes(store, layers, { ...output, latest }, { compression: "none", signal: opts.signal });
  const { config, layers } = await imageParts(store, output, "oci", opts, change);
  const made = new Map((await newLayers(store, output.ref.name, stepsOf(chain))).map(({ snapshot, at }) => [snapshot, at]));
  return {
    platform,
    config: parseImageConfig(config.bytes, "the config"),
    configDigest: config.descriptor.digest,
    layers: layers.map((layer) => ({ ...layer, at: made.get(layer.snapshot) ?? null })),
    baseDiffIds: output.baseDiffIds,
    dockerfile,
  };
}
