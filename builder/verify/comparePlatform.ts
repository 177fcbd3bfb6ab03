import { formatPlatform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { RemoteAccess } from "../remote.js";
import { layerBlob } from "../image/blobs.js";
import { alignLayers, layerHistory, type LayerPair } from "./alignLayers.js";
import { compareConfigs } from "./compareConfig.js";
import { compareLayers } from "./compareLayers.js";
import { type Evidence, hintsOf } from "./hints.js";
import type { ImageSide } from "./imageSide.js";
import type { Rebuilt } from "./rebuild.js";
import type { BlobDifference, LayerReport, PlatformReport } from "./report.js";
import { sideLayer } from "./storedSide.js";

/** What platforms are compared with. */
export interface Comparison {
  readonly store: Store;
  readonly access: Pick<RemoteAccess, "refetch">;
  readonly opts: StepOpts;
  readonly maxDifferences: number;
  readonly ignoreTimes: boolean;
  /** See {@link PlatformReport.notes}. */
  readonly notes: readonly string[];
}

/** Compares one platform of an image with what was built for it. @throws {TbuildError} as the layers' sources */
export async function comparePlatform(how: Comparison, image: ImageSide, rebuilt: Rebuilt): Promise<PlatformReport> {
  const differences = compareConfigs(image.config, rebuilt.config);
  const diffIds = image.layers.map(({ diffId }) => diffId);
  const found: { readonly report: LayerReport; readonly evidence: readonly Evidence[] }[] = [];
  // One after the other: each takes as much disk as the layers have bytes.
  for (const pair of alignLayers(diffIds, rebuilt.layers.map(({ diffId }) => diffId))) found.push(await comparePair(how, image, rebuilt, pair));
  const layers = found.map(({ report }) => report);
  const same = differences.length === 0 && layers.every(({ kind }) => kind === "form" || kind === "times") && image.layers.length === rebuilt.layers.length;
  return {
    platform: formatPlatform(image.platform),
    same,
    config: { image: image.configDigest, rebuilt: rebuilt.configDigest, differences: differences.slice(0, how.maxDifferences), total: differences.length },
    layerCount: { image: image.layers.length, rebuilt: rebuilt.layers.length },
    diffIds,
    layers,
    compressed: same ? await compressedOtherwise(how, image, rebuilt) : null,
    notes: how.notes,
    hints: hintsOf(found.flatMap(({ evidence }) => evidence)),
  };
}

/** What compresses to other bytes, where all else is the same. Layers of the base are nobody's here to compress. */
async function compressedOtherwise({ store, opts }: Comparison, image: ImageSide, rebuilt: Rebuilt): Promise<readonly BlobDifference[] | null> {
  if (image.layers.every(({ blob }) => blob === null)) return null;
  const found: BlobDifference[] = [];
  for (const [index, layer] of rebuilt.layers.entries()) {
    const { blob, diffId } = image.layers[index]!;
    const compression = /(?:tar|gzip|zstd)$/.exec(blob?.mediaType ?? "")?.[0];
    if (blob === null || compression === undefined || index < rebuilt.baseDiffIds.length || diffId !== layer.diffId) continue;
    const own = await layerBlob(store, layer, { compression: compression === "gzip" || compression === "zstd" ? compression : "none", force: true, signal: opts.signal });
    if (own.digest !== blob.digest) found.push({ layer: index + 1, image: blob.digest, rebuilt: own.digest });
  }
  return found;
}

async function comparePair(how: Comparison, image: ImageSide, rebuilt: Rebuilt, pair: LayerPair) {
  const report = { image: pair.image.map(fromOne), rebuilt: pair.rebuilt.map(fromOne), ...madeBy(image, rebuilt, pair) };
  if (pair.rebuilt.length === 1 && pair.rebuilt[0]! < rebuilt.baseDiffIds.length) {
    return { report: { ...report, kind: "base" as const, differences: [], total: 0, timesOnly: 0 }, evidence: [] };
  }
  const { store, opts, maxDifferences: max, ignoreTimes } = how;
  const sides = { image: pair.image.map((index) => image.layers[index]!), rebuilt: pair.rebuilt.map((index) => sideLayer(how, rebuilt.layers[index]!)) };
  const { differences: found, ...compared } = await compareLayers(store, sides, { signal: opts.signal, max, ignoreTimes });
  const keyword = /^\w+/.exec(report.step ?? "")?.[0].toUpperCase() ?? "";
  const evidence = found.map((one) => ({ ...one, keyword }));
  return { report: { ...report, ...compared, differences: found.map(({ head: _head, ...difference }) => difference) }, evidence };
}

function fromOne(index: number): number {
  return index + 1;
}

/** The instruction as the Dockerfile has it, else as the history does. */
function madeBy(image: ImageSide, rebuilt: Rebuilt, pair: LayerPair): Pick<LayerReport, "step" | "at"> {
  const [own, other] = [pair.image[0], pair.rebuilt[0]];
  if (Math.max(pair.image.length, pair.rebuilt.length) > 1) return { step: null, at: null };
  const at = other === undefined ? null : rebuilt.layers[other]!.at;
  if (at !== null) {
    const line = rebuilt.dockerfile.bytes.toString("utf8").split(/\r?\n/)[at.start.line - 1] ?? "";
    return { step: line.trim(), at: `${at.file}:${at.start.line}` };
  }
  const history = own === undefined ? null : layerHistory(image.config)[own];
  return { step: history?.created_by ?? null, at: null };
}
