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
import { type Collected, collectCache } from "./collect.js";
import { mergeCaches, type MergeOptions } from "./merge.js";
import { emptyCache, type SharedCache } from "./sharedCache.js";
import { cacheWarning } from "./warning.js";

/** One `--cache-to`. */
export interface CacheExport {
  readonly target: CacheTarget;
  /** "min": results that are layers of the image; "max": those of all steps. */
  readonly mode: "min" | "max";
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

async function exportCache({ store, lost }: ExportCacheDeps, { target, mode, blobs }: CacheExport, { steps, inImage }: ExportedSteps, opts: StepOpts) {
  const options = { ...blobs, signal: opts.signal };
  opts.report.status("preparing build cache for export", 0, 0);
  await using layers = layerPreparer(store, { kind: "blobs", options }, opts);
  layers.hurry();
  const hasResult = ({ vertex }: KnownStep<Ref>): boolean => mode === "max" || inImage.has(vertex.digest);
  const now = Date.now();
  const ours = await collectCache(store, steps, { hasResult, layers, blobs: options, now });
  opts.report.statusDone("preparing build cache for export");
  if (ours.cache.layers.length === 0) return {};
  opts.report.status("sending cache export", 0, 0);
  const metadata = await addToCache(target, ours, { now, lost, prefer: blobs.force === true ? "ours" : "theirs" }, opts);
  opts.report.statusDone("sending cache export");
  return metadata;
}

/** Writes what a cache had and `ours` as one, again when others write meanwhile. @throws {TbuildError} unavailable when they always do */
export async function addToCache(target: CacheTarget, ours: Collected, merging: MergeOptions, opts: StepOpts): Promise<Readonly<Record<string, string>>> {
  let base: "merge" | "replace" = "merge";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await target.read(opts);
    const state = found === null || base === "merge" ? found : { ...found, cache: emptyCache };
    const cache = mergeCaches(state?.cache ?? emptyCache, ours.cache, merging);
    const written = await target.write(cache, state, missingBlobs(cache, state?.cache ?? null, ours), opts).catch((error: unknown) => {
      // Of what is there, blobs may be gone, so that nothing can be added to it.
      if (base === "replace" || (state?.cache.layers.length ?? 0) === 0 || !mayBeMissing(error)) throw error;
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

function missingBlobs(cache: SharedCache, before: SharedCache | null, { blobs }: Collected): Collected["blobs"] {
  const there = new Set(before?.layers.map(({ blob }) => blob.digest));
  const wanted = new Set(cache.layers.map(({ blob }) => blob.digest).filter((digest) => !there.has(digest)));
  return new Map([...blobs].filter(([digest]) => wanted.has(digest)));
}
