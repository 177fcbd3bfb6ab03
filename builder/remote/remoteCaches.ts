import path from "node:path";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { CacheRequest } from "../cacheio/buildCaches.js";
import { localTarget } from "../cacheio/localCache.js";
import { type LocalExport, readLocalExport, readLocalImport } from "../cacheio/localSpecs.js";
import { type CacheSpec, checkCacheExports, type ExportOptions, readExportOptions } from "../cacheio/specs.js";
import { cacheWarning } from "../cacheio/warning.js";
import { readAttrs } from "../exporter/attrs.js";
import { findInLayout } from "../source/layoutClient.js";
import type { Warn } from "../warnOnce.js";
import { layoutReader } from "./layoutReader.js";
import type { ExportMetadata } from "./remoteOutputs.js";
import { type SentCache, sentCache } from "./sentCache.js";
import type { OfferedStores } from "./session/contentStores.js";

/** The caches of a build on a builder. Those in directories of this machine the builder reads and writes through the session. */
export interface RemoteCaches extends CacheRequest {
  /** By the names that builders have for a client's directories. */
  readonly stores: OfferedStores;
  /** False when nothing is left to do once the builder is done. */
  readonly hasFinish: boolean;
  /** Puts what the builder has sent into the directories; adds to the metadata what is there then. */
  finish(response: ExportMetadata, opts: StepOpts): Promise<ExportMetadata>;
}

/** No caches. */
export const noCaches: Pick<RemoteCaches, "from" | "to" | "stores"> = { from: [], to: [], stores: { readers: new Map(), writers: new Map() } };

/** One directory that a cache goes to. */
interface LocalCacheExport extends LocalExport, ExportOptions {
  readonly sent: SentCache;
}

/**
 * Takes the caches of a request apart. One that cannot be read is left out with a warning.
 * @throws {TbuildError} invalid_argument
 */
export function remoteCaches({ from, to }: CacheRequest, store: Store, warn: Warn): RemoteCaches {
  checkCacheExports(to);
  const readers = new Map<string, ReturnType<typeof layoutReader>>();
  const writers = new Map<string, SentCache["writer"]>();
  const exports: LocalCacheExport[] = [];
  const offeredTo = to.map((spec) => {
    if (spec.type !== "local") return spec;
    const one = localExport(spec, store);
    if (writers.has(storeName(one.dir))) throw severalCaches(one.dir);
    exports.push(one);
    readers.set(storeName(one.dir), one.sent.reader);
    writers.set(storeName(one.dir), one.sent.writer);
    return { type: "local", attrs: { ...spec.attrs, dest: one.dir } };
  });
  const offeredFrom = from.flatMap((spec) => {
    const one = spec.type === "local" ? localImport(spec, warn) : spec;
    const dir = one?.type === "local" ? one.attrs["src"]! : null;
    if (dir !== null && !readers.has(storeName(dir))) readers.set(storeName(dir), layoutReader(dir));
    return one ?? [];
  });
  return {
    from: offeredFrom,
    to: offeredTo,
    stores: { readers, writers },
    hasFinish: exports.length > 0,
    async finish(response, opts) {
      let metadata = response;
      for (const one of exports) metadata = { ...metadata, ...(await finishExport(one, store, warn, opts)) };
      return metadata;
    },
  };
}

/** Source: BuildKit, cache/remotecache/local. */
function storeName(dir: string): string {
  return `local:${dir}`;
}

function severalCaches(dir: string): TbuildError {
  return new TbuildError("unsupported", `Cannot write several caches to "${dir}" from a builder elsewhere`, { hint: "Name another directory for each" });
}

/** Null for a cache that is not there. */
function localImport(spec: CacheSpec, warn: Warn): CacheSpec | null {
  const attrs = readAttrs(spec, "cache import");
  const { dir: given, tag, digest } = readLocalImport(attrs);
  attrs.bool("mounts", true); // obeyed by the builder
  attrs.finish();
  const dir = path.resolve(given);
  try {
    return { type: "local", attrs: { ...spec.attrs, src: dir, digest: digest ?? findInLayout(dir, tag) } };
  } catch (error) {
    if (!isTbuildError(error)) throw error;
    warn([cacheWarning(`Cannot import cache from "${storeName(dir)}"`, error)]);
    return null;
  }
}

function localExport(spec: CacheSpec, store: Store): LocalCacheExport {
  const attrs = readAttrs(spec, "cache export");
  const { dir: given, ...place } = readLocalExport(attrs);
  const options = readExportOptions(attrs);
  attrs.finish();
  const dir = path.resolve(given);
  return { dir, ...place, ...options, sent: sentCache(dir, store.content) };
}

async function finishExport({ dir, tag, keep, form, packed, onError, sent }: LocalCacheExport, { content }: Store, warn: Warn, opts: StepOpts): Promise<ExportMetadata> {
  try {
    return await sent.writeTo(localTarget({ dir, content }, { tag, keep, form }), { tag, keep, prefer: packed.force === true ? "ours" : "theirs" }, opts);
  } catch (error) {
    if (onError === "fail" || opts.signal.aborted) throw error;
    warn([cacheWarning(`Cannot export cache to "${dir}"`, error)]);
    return {};
  }
}
