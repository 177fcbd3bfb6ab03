import { setTimeout as delay } from "node:timers/promises";
import type { FileContentStore } from "../../cache/content/store.js";
import { hasCode } from "../../cache/errors.js";
import { formatReference, type Reference } from "../../cache/oci/reference.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { descriptor } from "../image/canonical.js";
import type { Push } from "../exporter/deps.js";
import type { RegistryClient } from "../registry/client.js";
import { putBlob } from "../registry/resolve.js";
import type { CacheSource, CacheTarget, TargetState } from "./backend.js";
import { cacheDocuments, type CacheForm } from "./cacheManifest.js";
import { readRegistryCache } from "./readCache.js";
import { emptyCache } from "./sharedCache.js";

/** How a registry is reached for a cache. */
export interface RegistryAccess {
  /** Asks the registry itself and no mirror: these may be behind. */
  readonly client: RegistryClient;
  readonly content: FileContentStore;
  readonly push: Push;
  /** Plain HTTP where there is no TLS, and any certificate. */
  readonly insecure: boolean;
  /** What `sourceAnnotation` says of blobs of this repository. */
  readonly origin: string;
}

/** `type=registry,ref=…`, or an image with a cache inside. */
export function registrySource(reference: Reference, name: string, access: RegistryAccess): CacheSource {
  return {
    name,
    async read(opts) {
      const { caches } = await readRegistryCache(access, reference, name, opts);
      return caches.map((cache) => ({ cache, origin: access.origin }));
    },
  };
}

/** `type=registry,ref=…` to write to. */
export function registryTarget(reference: Reference, form: CacheForm, access: RegistryAccess): CacheTarget {
  const { content, push, insecure } = access;
  const name = formatReference(reference);
  return {
    step: "exporting cache to registry",
    name,
    fetch: (blob, opts) => access.client.fetchBlob({ ...reference, tag: null, digest: null }, blob, content, opts),
    async read(opts) {
      try {
        const { digest, caches, kind } = await readRegistryCache(access, reference, name, opts);
        const [cache] = caches;
        return { cache: kind === "cache" && cache !== undefined ? cache : emptyCache, version: digest };
      } catch (error) {
        if (hasCode(error, "cancelled") || hasCode(error, "unauthorized") || hasCode(error, "unavailable")) throw error;
        if (hasCode(error, "not_found")) return null;
        // What one cannot read is written over.
        return { cache: emptyCache, version: (await versionOf(access, reference, opts)) ?? "" };
      }
    },
    async write(cache, state, blobs, opts) {
      const { manifest, config } = cacheDocuments(cache, form);
      const metadata = { "cache.manifest": JSON.stringify(descriptor(manifest.descriptor)) };
      const { digest } = manifest.descriptor;
      if (state?.version === digest) return { metadata };
      for (const { bytes, descriptor: own } of [config, manifest]) await putBlob(content, bytes, own.digest, opts);
      const documents = { descriptor: config.descriptor, origin: null, fetch: async () => {} };
      const to = { ...opts, insecure };
      // By its digest first: the tag is then moved in one short call, right after a look at where it is.
      await push({ root: manifest.descriptor, children: [], blobs: [...blobs.values(), documents] }, [{ ...reference, tag: null }], to);
      if ((await versionOf(access, reference, opts)) !== (state?.version ?? null)) return "changed";
      await push({ root: manifest.descriptor, children: [], blobs: [] }, [reference], to);
      await delay(SETTLE_MS * (1 + Math.random()), undefined, { signal: opts.signal }).catch(() => {});
      return (await versionOf(access, reference, opts)) === digest ? { metadata } : "changed";
    },
  };
}

/** Registries have no compare-and-swap: who wrote between another's look and write is seen when that one looks again. */
const SETTLE_MS = 200;

async function versionOf({ client }: RegistryAccess, reference: Reference, opts: StepOpts): Promise<TargetState["version"] | null> {
  try {
    return (await client.head(reference, opts))?.digest ?? null;
  } catch (error) {
    if (hasCode(error, "not_found")) return null;
    throw error;
  }
}
