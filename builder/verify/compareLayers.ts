import type { FirstDifference, LayerEntry } from "../../cache/diff/layerEntry.js";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import { withTarFile } from "../image/writeBlob.js";
import { compareEntries, type DifferentEntry } from "./compareEntries.js";
import type { Evidence } from "./hints.js";
import type { SideLayer } from "./imageSide.js";
import { type LayerContent, mergeEntries } from "./mergeEntries.js";
import type { LayerReport } from "./report.js";

/** Layers of both sides that are compared as one, base first. */
export interface LayersToCompare {
  readonly image: readonly SideLayer[];
  readonly rebuilt: readonly SideLayer[];
}

/** How layers are compared. */
export interface CompareOptions extends Opts {
  /** Differences that are looked into. */
  readonly max: number;
  /** Times alone make no difference. */
  readonly ignoreTimes: boolean;
}

/** A difference, with the first bytes of the file in hex; "" when they are not known. */
export type LookedInto = Omit<Evidence, "keyword">;

/** What was found, with what it may be caused by. */
export interface ComparedLayers extends Pick<LayerReport, "kind" | "total" | "timesOnly"> {
  readonly differences: readonly LookedInto[];
}

interface Tar {
  readonly path: string;
  readonly entries: readonly LayerEntry[];
}

/** Tars of the image's layers, and of those that were built. */
type Sides = readonly [readonly Tar[], readonly Tar[]];

/**
 * Compares layers by their entries, in whatever order they are. Memory depends on how many entries there are, not on their
 * bytes: each tar is a file below the store for as long. @throws {TbuildError} parse_failed, corrupt, resource_exhausted; as the tars' sources
 */
export async function compareLayers(store: Store, { image, rebuilt }: LayersToCompare, options: CompareOptions): Promise<ComparedLayers> {
  return await withTars(store, [...image, ...rebuilt], options, async (tars) => {
    const sides: Sides = [tars.slice(0, image.length), tars.slice(image.length)];
    const [own, other] = [merged(sides[0]), merged(sides[1])];
    const found = compareEntries(own, other);
    const all = options.ignoreTimes ? found.filter(({ timesOnly }) => !timesOnly) : found;
    const timesOnly = all.filter((one) => one.timesOnly).length;
    const equal = found.length === 0 ? "form" : "times";
    const differences = await Promise.all(all.slice(0, options.max).map((one) => lookInto(store, one, sides, options)));
    return { kind: all.length === 0 ? equal : "entries", differences, total: all.length, timesOnly };
  });
}

function merged(side: readonly Tar[]): LayerContent {
  return mergeEntries(side.map(({ entries }) => entries));
}

async function withTars<T>(store: Store, layers: readonly SideLayer[], opts: Opts, use: (tars: readonly Tar[]) => Promise<T>): Promise<T> {
  const [layer, ...others] = layers;
  if (layer === undefined) return await use([]);
  return await withTarFile(store, layer.tar, opts, async (path) => {
    const entries = await store.bulk.run("layerEntries", { tar: path }, opts);
    return await withTars(store, others, opts, (tars) => use([{ path, entries }, ...tars]));
  });
}

async function lookInto(store: Store, found: DifferentEntry, sides: Sides, opts: Opts): Promise<LookedInto> {
  const { path, type, kind, otherContent, image, rebuilt } = found;
  const first = await firstDifference(store, found, sides, opts);
  // Of a sparse file the bytes are not at one place.
  const fields = otherContent && first === null ? [{ field: "content", image: image?.digest ?? null, rebuilt: rebuilt?.digest ?? null }, ...found.fields] : found.fields;
  const content = first === null ? null : { at: first.at, start: first.start, image: hex(first.a), rebuilt: hex(first.b) };
  return { path, type, kind, fields, content, head: first === null ? "" : hex(first.head) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

async function firstDifference(store: Store, { otherContent, image, rebuilt }: DifferentEntry, [own, other]: Sides, opts: Opts): Promise<FirstDifference | null> {
  if (!otherContent || image?.offset == null || rebuilt?.offset == null) return null;
  const a = { tar: own[image.tar]!.path, offset: image.offset, size: image.size };
  const b = { tar: other[rebuilt.tar]!.path, offset: rebuilt.offset, size: rebuilt.size };
  return await store.bulk.run("firstDifference", { a, b }, opts);
}
