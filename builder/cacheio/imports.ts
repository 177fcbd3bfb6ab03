import { isTbuildError, TbuildError } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { CacheKey } from "../../solver/cacheKey.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { SharedResult, SharedResults } from "../../solver/sharedResults.js";
import { layerFetcher } from "../image/fetching.js";
import { unpackLayers } from "../image/unpack.js";
import { internalStep, type Report } from "../internalStep.js";
import type { FetchOpts } from "../registry/client.js";
import type { Warn } from "../warnOnce.js";
import type { CacheSource, ReadCache } from "./backend.js";
import { type CacheChains, cacheChains } from "./cacheChains.js";
import type { CacheRecord } from "./sharedCache.js";
import type { SharedMount } from "./sharedMounts.js";
import { cacheWarning } from "./warning.js";

/** The caches that one build looks things up in. Disposing ends what is still being read. */
export interface CacheImports extends SharedResults<Ref>, AsyncDisposable {
  /** Begins to read a cache; one that is being read already is not read again. */
  add(id: string, source: CacheSource): void;
  /** What the caches have of the cache mount with this key, in their order. */
  mounts(key: string): Promise<readonly FoundMount[]>;
}

/** A cache mount that a cache has. */
export interface FoundMount extends Pick<ReadCache, "origin"> {
  readonly mount: SharedMount;
  /** Of the cache, as people know it. */
  readonly name: string;
}

/** What imports work with. */
export interface ImportDeps {
  readonly store: Store;
  readonly refetch: (blob: Descriptor, opts: FetchOpts) => Promise<void>;
  readonly report: Report;
  readonly warn: Warn;
  readonly signal: AbortSignal;
  /** Blobs that turned out to be lost: results that need one are not found. */
  readonly lost: ReadonlySet<Digest>;
  /** Milliseconds that reading what a cache says may take; default {@link READ_MS}. */
  readonly timeoutMs?: number | undefined;
}

/** A build does not wait longer for a cache to say what it has. */
export const READ_MS = 60_000;

/** A cache by keys. */
interface Loaded {
  readonly byKey: ReadonlyMap<string, CacheRecord>;
  readonly chains: CacheChains;
  readonly mounts: readonly FoundMount[];
}

/**
 * Caches of one build, none yet. They are read at once and side by side, and asked in the order in which they were added. One
 * that cannot be read gives a warning. What they have is declared and stays where it is until somebody reads its files.
 */
export function cacheImports(given: ImportDeps): CacheImports {
  const over = new AbortController();
  const signal = AbortSignal.any([given.signal, over.signal]);
  const deps = { ...given, signal };
  const { store, warn, lost } = deps;
  const loading = new Map<string, Promise<readonly Loaded[]>>();
  const load = async (source: CacheSource): Promise<readonly Loaded[]> => {
    try {
      return (await readInTime(source, deps)).map((read) => ({
        byKey: new Map(read.cache.records.map((record) => [record.key, record])),
        chains: cacheChains(store, read),
        mounts: (read.cache.mounts ?? []).map((mount) => ({ mount, origin: read.origin, name: source.name })),
      }));
    } catch (error) {
      if (!signal.aborted) warn([cacheWarning(`Cannot import cache from "${source.name}"`, error)]);
      return [];
    }
  };
  return {
    add: (id, source) => void (loading.has(id) || loading.set(id, load(source))),
    async query(key) {
      let alias: CacheKey | null = null;
      for (const promise of loading.values()) {
        for (const loaded of await promise) {
          const record = loaded.byKey.get(key);
          if (record === undefined) continue;
          const outputs = await materialise(deps, loaded, record, lost);
          const canonical = record.canonical as CacheKey;
          if (outputs !== null) return { canonical, outputs } satisfies SharedResult<Ref>;
          alias ??= canonical;
        }
      }
      return alias === null ? null : { canonical: alias, outputs: null };
    },
    async mounts(key) {
      const loaded = (await Promise.all(loading.values())).flat();
      return loaded.flatMap(({ mounts }) => mounts.filter(({ mount }) => mount.key === key));
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all(loading.values());
    },
  };
}

async function readInTime(source: CacheSource, { report, signal, timeoutMs = READ_MS }: ImportDeps): Promise<readonly ReadCache[]> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const limited = AbortSignal.any([signal, timeout]);
  return await internalStep(report, `importing cache manifest from ${source.name}`, signal, async (opts) => {
    try {
      return await source.read({ ...opts, signal: limited });
    } catch (error) {
      if (!timeout.aborted || signal.aborted) throw error;
      throw new TbuildError("unavailable", `No answer within ${timeoutMs / 1000} s`, { cause: error });
    }
  });
}

/** Null when the record has no result that could be had. */
async function materialise(deps: ImportDeps, { chains }: Loaded, { outputs }: CacheRecord, lost: ReadonlySet<Digest>): Promise<readonly Ref[] | null> {
  if (outputs === null) return null;
  if (lost.size > 0 && outputs.some((top) => chains.layers(top).some(({ blob }) => lost.has(blob.digest)))) return null;
  const refs: Ref[] = [];
  for (const top of outputs) {
    const ref = await bring(deps, chains, top);
    if (ref === null) return null;
    refs.push(ref);
  }
  return refs;
}

/** What cannot only be declared is brought here; null when that fails. */
async function bring({ store, refetch, warn, report, signal }: ImportDeps, chains: CacheChains, top: number): Promise<Ref | null> {
  if (top < 0) return { kind: "snapshot", name: null };
  try {
    const declared = await chains.declare(top);
    if (declared !== null) return { kind: "snapshot", name: declared };
    const name = await internalStep(report, "fetching layers of the cache", signal, async (opts: StepOpts) => {
      return await unpackLayers(store, chains.layers(top), { ...opts, fetch: await layerFetcher(refetch, opts) });
    });
    return { kind: "snapshot", name };
  } catch (error) {
    if (signal.aborted || !isTbuildError(error)) throw error;
    warn([cacheWarning("Cannot use a result of a cache", error)]);
    return null;
  }
}
