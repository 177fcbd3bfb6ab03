import type { Store } from "../../cache/store.js";
import type { Report } from "../internalStep.js";
import type { RemoteAccess } from "../remote.js";
import type { Warn } from "../warnOnce.js";
import type { CacheExport } from "./exportCaches.js";
import { type CacheImports, cacheImports } from "./imports.js";
import { type Losses, losses } from "./lostLayers.js";
import { type CacheDeps, type CacheSpec, checkCacheExports, createCacheExport, createCacheSource, isInline } from "./specs.js";
import { cacheWarning } from "./warning.js";

/** The shared caches of one build. Disposing ends what is still being read of them. */
export interface BuildCaches extends AsyncDisposable {
  readonly imports: CacheImports;
  readonly exports: readonly CacheExport[];
  /** Images get a cache inside. */
  readonly inline: boolean;
  readonly lost: Losses;
  /** Registries of the build; what they cannot give is noted as lost. */
  readonly remote: RemoteAccess;
}

/** What {@link openCaches} works with. */
export interface CachesDeps {
  readonly store: Store;
  readonly remote: RemoteAccess;
  readonly report: Report;
  readonly warn: Warn;
  readonly signal: AbortSignal;
  readonly client: CacheDeps["client"];
}

/** What a build asks for. */
export interface CacheRequest {
  readonly from: readonly CacheSpec[];
  readonly to: readonly CacheSpec[];
}

/** Begins to read the caches that a build is given. @throws {TbuildError} invalid_argument, invalid_reference for one that is asked for wrongly */
export function openCaches(deps: CachesDeps, { from, to }: CacheRequest): BuildCaches {
  const { store, report, warn, signal } = deps;
  const lost = losses();
  const remote = { ...deps.remote, refetch: lost.noting(deps.remote.refetch) };
  const own = { store, remote, client: deps.client };
  checkCacheExports(to);
  const exports = to.filter((spec) => !isInline(spec)).map((spec) => createCacheExport(spec, own));
  const imports = cacheImports({ store, refetch: remote.refetch, report, warn, signal, lost: lost.blobs });
  for (const spec of from) imports.add(JSON.stringify(spec), createCacheSource(spec, own));
  return { imports, exports, inline: to.some(isInline), lost, remote, [Symbol.asyncDispose]: () => imports[Symbol.asyncDispose]() };
}

/** Caches that a client's frontend names on the way. One that is named wrongly gives a warning. */
export function addImports({ imports, remote }: BuildCaches, specs: readonly CacheSpec[], { store, warn, client }: CachesDeps): void {
  for (const spec of specs) {
    try {
      imports.add(JSON.stringify(spec), createCacheSource(spec, { store, remote, client }));
    } catch (error) {
      warn([cacheWarning("Cannot import cache", error)]);
    }
  }
}
