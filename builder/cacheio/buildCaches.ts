import type { Store } from "../../cache/store.js";
import type { Report } from "../internalStep.js";
import type { RemoteAccess } from "../remote.js";
import type { Warn } from "../warnOnce.js";
import type { CacheExport } from "./exportCaches.js";
import { type CacheImports, cacheImports } from "./imports.js";
import { type MountRestorer, mountRestorer } from "./importMounts.js";
import { type Losses, losses } from "./lostLayers.js";
import type { CacheDeps, CacheSpec } from "./specs.js";
import { cacheWarning } from "./warning.js";

/** The shared caches of one build. Disposing ends what is still being read of them. */
export interface BuildCaches extends AsyncDisposable {
  readonly imports: CacheImports;
  readonly exports: readonly CacheExport[];
  /** Images get a cache inside. */
  readonly inline: boolean;
  readonly lost: Losses;
  readonly mounts: MountRestorer;
  /** When they were opened, in milliseconds since the epoch. */
  readonly since: number;
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
export async function openCaches(deps: CachesDeps, { from, to }: CacheRequest): Promise<BuildCaches> {
  const { store, report, warn, signal } = deps;
  const lost = losses();
  const remote = { ...deps.remote, refetch: lost.noting(deps.remote.refetch) };
  const own = { store, remote, client: deps.client };
  const caches = from.length + to.length === 0 ? noCaches : (await import("./specs.js")).createCaches({ from, to }, own);
  const imports = cacheImports({ store, refetch: remote.refetch, report, warn, signal, lost: lost.blobs });
  for (const { id, source } of caches.sources) imports.add(id, source);
  const mounts = mountRestorer({ store, imports, refetch: remote.refetch, note: lost.note, report, warn, signal });
  return { imports, exports: caches.exports, inline: caches.inline, lost, mounts, since: Date.now(), remote, [Symbol.asyncDispose]: () => imports[Symbol.asyncDispose]() };
}

const noCaches = { sources: [], exports: [], inline: false };

/** Caches that a client's frontend names on the way. One that is named wrongly gives a warning. */
export async function addImports({ imports, remote }: BuildCaches, specs: readonly CacheSpec[], { store, warn, client }: CachesDeps): Promise<void> {
  if (specs.length === 0) return;
  const { createCaches } = await import("./specs.js");
  for (const spec of specs) {
    try {
      const { sources } = createCaches({ from: [spec], to: [] }, { store, remote, client });
      for (const { id, source } of sources) imports.add(id, source);
    } catch (error) {
      warn([cacheWarning("Cannot import cache", error)]);
    }
  }
}
