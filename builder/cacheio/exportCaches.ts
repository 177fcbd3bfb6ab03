import { cancelled, isTbuildError, TbuildError } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { KnownStep } from "../../solver/sharedResults.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { BlobOptions } from "../image/blobs.js";
import { layerPreparer } from "../image/prepare.js";
import { internalStep, type Report } from "../internalStep.js";
import type { Warn } from "../warnOnce.js";
import type { CacheTarget } from "./backend.js";
import { mountIds } from "./chosenMounts.js";
import { type Collected, collectCache } from "./collect.js";
import { mountPacker, type PackedMounts } from "./exportMounts.js";
import { mergeCaches, type MergeOptions } from "./merge.js";
import type { MountOptions } from "./mountOptions.js";
import { blobsOf, emptyCache, type SharedCache } from "./sharedCache.js";
import { cacheWarning } from "./warning.js";

/** One `--cache-to`. */
export interface CacheExport {
  readonly target: CacheTarget;
  /** "min": results that are layers of the image; "max": those of all steps. */
  readonly mode: "min" | "max";
  /** Cache mounts that go into it; null for none. */
  readonly mounts: MountOptions | null;
  readonly blobs: BlobOptions;
  /** What a failure does to the build. */
  readonly onError: "warn" | "fail";
  readonly timeoutMs: number;
}

/** What {@link exportCaches} works with. */
export interface ExportCacheDeps {
  readonly store: Store;
  readonly report: Report;
  readonly warn: Warn;
  readonly signal: AbortSignal;
  /** Blobs that turned out to be lost. */
  readonly lost: ReadonlySet<Digest>;
  /** When the build began, in milliseconds since the epoch. */
  readonly since: number;
}

/** What of a build can be exported. */
export interface ExportedSteps {
  readonly steps: readonly KnownStep<Ref>[];
  /** Steps whose results are layers of an image. */
  readonly inImage: ReadonlySet<Digest>;
}

/** Writes a build's results to caches, one after the other. Returns what the exporter response has of them. */
export async function exportCaches(deps: ExportCacheDeps, exports: readonly CacheExport[], from: ExportedSteps): Promise<Readonly<Record<string, string>>> {
  const metadata: Record<string, string> = {};
  for (const one of exports) {
    try {
      Object.assign(metadata, await exportInTime(deps, one, from));
    } catch (error) {
      if (deps.signal.aborted) throw cancelled(deps.signal);
      if (one.onError === "fail") throw error;
      deps.warn([cacheWarning(`Cannot export cache to "${one.target.name}"`, error)]);
    }
  }
  return metadata;
}

async function exportInTime(deps: ExportCacheDeps, one: CacheExport, from: ExportedSteps): Promise<Readonly<Record<string, string>>> {
  const timeout = AbortSignal.timeout(one.timeoutMs);
  const signal = AbortSignal.any([deps.signal, timeout]);
  return await internalStep(deps.report, one.target.step, deps.signal, async ({ report }) => {
    try {
      return await exportCache(deps, one, from, { report, signal });
    } catch (error) {
      if (!timeout.aborted || deps.signal.aborted) throw error;
      throw new TbuildError("unavailable", `It was not done within ${one.timeoutMs / 1000} s`, { cause: error });
    }
  });
}

/** Times that somebody else may write in between. */
const ATTEMPTS = 8;

async function exportCache(deps: ExportCacheDeps, { target, mode, mounts, blobs }: CacheExport, { steps, inImage }: ExportedSteps, opts: StepOpts) {
  const { store, lost } = deps;
  const options = { ...blobs, signal: opts.signal };
  opts.report.status("preparing build cache for export", 0, 0);
  await using layers = layerPreparer(store, { kind: "blobs", options }, opts);
  layers.hurry();
  const hasResult = ({ vertex }: KnownStep<Ref>): boolean => mode === "max" || inImage.has(vertex.digest);
  const now = Date.now();
  const ours = await collectCache(store, steps, { hasResult, layers, blobs: options, now });
  opts.report.statusDone("preparing build cache for export");
  const ids = mountIds(steps.map(({ vertex }) => vertex));
  await using packer = mounts === null ? null : mountPacker({ ...deps, ids, target }, mounts);
  if (ours.cache.layers.length === 0 && packer === null) return {};
  opts.report.status("sending cache export", 0, 0);
  const merging = { now, lost, prefer: blobs.force === true ? "ours" : "theirs" } as const;
  const metadata = await addToCache(target, async (theirs) => (packer === null ? ours : withMounts(ours, await packer.pack(theirs.mounts ?? [], opts))), merging, opts);
  opts.report.statusDone("sending cache export");
  return metadata;
}

function withMounts({ cache, blobs }: Collected, { mounts, blobs: packs }: PackedMounts): Collected {
  return { cache: { ...cache, mounts }, blobs: new Map([...blobs, ...packs.map((blob) => [blob.descriptor.digest, blob] as const)]) };
}

/** What is to be added to a cache that has `theirs`. */
export type CollectFor = (theirs: SharedCache) => Promise<Collected>;

/** Writes what a cache had and ours as one, again when others write meanwhile. @throws {TbuildError} unavailable when they always do */
export async function addToCache(target: CacheTarget, collect: CollectFor, merging: MergeOptions, opts: StepOpts): Promise<Readonly<Record<string, string>>> {
  let base: "merge" | "replace" = "merge";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await target.read(opts);
    const state = found === null || base === "merge" ? found : { ...found, cache: emptyCache };
    const theirs = state?.cache ?? emptyCache;
    const ours = await collect(theirs);
    const cache = mergeCaches(theirs, ours.cache, merging);
    if (blobsOf(cache).length === 0) return {};
    const written = await target.write(cache, state, missingBlobs(cache, theirs, ours), opts).catch((error: unknown) => {
      // Of what is there, blobs may be gone, so that nothing can be added to it.
      if (base === "replace" || blobsOf(theirs).length === 0 || !mayBeMissing(error)) throw error;
      base = "replace";
      return "changed" as const;
    });
    if (written !== "changed") return written.metadata;
  }
  throw new TbuildError("unavailable", `Others wrote to it ${ATTEMPTS} times meanwhile`);
}

function mayBeMissing(error: unknown): boolean {
  return isTbuildError(error) && error.code !== "cancelled" && error.code !== "unauthorized" && error.code !== "resource_exhausted";
}

function missingBlobs(cache: SharedCache, before: SharedCache, { blobs }: Collected): Collected["blobs"] {
  const there = new Set(blobsOf(before).map(({ digest }) => digest));
  const wanted = new Set(blobsOf(cache).flatMap(({ digest }) => (there.has(digest) ? [] : [digest])));
  return new Map([...blobs].filter(([digest]) => wanted.has(digest)));
}
