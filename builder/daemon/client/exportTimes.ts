import type { HistoryEntry, ImageConfig } from "../../../cache/oci/descriptor.js";
import { snapshotChain } from "../../../cache/snapshot/chain.js";
import type { Store } from "../../../cache/store.js";
import { givenEpoch } from "../../epoch.js";
import type { BuildOutput, PlatformOutput } from "../../exporter/exporter.js";

/** Seconds that nothing in an export is later than, by platform; null where there is no such time. */
export interface ExportTimes {
  readonly latest: readonly (number | null)[];
  /** The client gives them for this export: then they count for what the frontend has dated, too. */
  readonly given: boolean;
}

/** `source-date-epoch` of an export, which may be empty for none, else what the frontend found. @throws {TbuildError} invalid_argument */
export function exportTimes(attr: string | undefined, epochs: readonly (number | null)[]): ExportTimes {
  if (attr === undefined) return { latest: epochs, given: false };
  const latest = givenEpoch(attr);
  return { latest: epochs.map(() => latest), given: true };
}

/**
 * A result whose images say when they were made: where the frontend has not said it, a layer's time is that of its snapshot, and
 * an instruction without one has that of the next layer, else of the one before.
 * Source: BuildKit, exporter/containerimage/writer.go. @throws {TbuildError} not_found
 */
export async function dated(store: Store, output: BuildOutput, { latest, given }: ExportTimes): Promise<BuildOutput> {
  const platforms = output.platforms.map((one, index) => datedPlatform(store, one, latest[index] ?? null, given));
  return { ...output, platforms: await Promise.all(platforms) };
}

async function datedPlatform(store: Store, one: PlatformOutput, latest: number | null, given: boolean): Promise<PlatformOutput> {
  const { image, ref, baseDiffIds } = one;
  const known = image.history ?? [];
  const history = known.every(({ created }) => created !== undefined) ? known : datedHistory(known, await layerTimes(store, ref.name));
  const created = image.created ?? history.findLast((entry) => entry.created !== undefined)?.created;
  const all = { ...image, history, ...(created === undefined ? {} : { created }) };
  return { ...one, image: given && latest !== null ? clamped(all, baseDiffIds.length, latest) : all, latest };
}

/** RFC 3339 of each layer, base first; one that changes nothing has its line of history too. */
async function layerTimes(store: Store, name: string | null): Promise<readonly string[]> {
  const chain = await snapshotChain(store.snapshots, name);
  const stats = await Promise.all(chain.map((snapshot) => store.snapshots.stat(snapshot)));
  return stats.map(({ createdAt }) => new Date(createdAt).toISOString());
}

/** Times for the entries that have none; `layers` are matched from the end. */
export function datedHistory(history: readonly HistoryEntry[], layers: readonly string[]): readonly HistoryEntry[] {
  let index = layers.length - history.filter((entry) => entry.empty_layer !== true).length;
  const times = history.map((entry) => {
    const layer = entry.empty_layer === true ? undefined : layers[index++];
    return entry.created ?? layer;
  });
  const gap = times.indexOf(undefined);
  let last = (gap < 0 ? undefined : times.slice(gap).find((time) => time !== undefined)) ?? times.findLast((time) => time !== undefined);
  return history.map((entry, at) => {
    if (gap >= 0 && at > gap) last = times[at] ?? last;
    const created = times[at] ?? last;
    return created === undefined ? entry : { ...entry, created };
  });
}

/** `image` with no time of its own later than `seconds`; what belongs to the lowest `baseLayers` layers keeps its times. */
function clamped(image: ImageConfig, baseLayers: number, seconds: number): ImageConfig {
  const latest = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  const clamp = <T extends { readonly created?: string }>(value: T): T =>
    value.created !== undefined && Date.parse(value.created) > seconds * 1000 ? { ...value, created: latest } : value;
  let layers = 0;
  const history = (image.history ?? []).map((entry) => {
    if (entry.empty_layer !== true) layers++;
    const isBase = layers < baseLayers || (layers === baseLayers && entry.empty_layer !== true);
    return isBase ? entry : clamp(entry);
  });
  return clamp({ ...image, history });
}
