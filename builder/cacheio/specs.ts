import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { parseDigest } from "../../cache/oci/digest.js";
import { parseReference, type Reference, withDefaultTag } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import { type Attrs, readAttrs, unknownName } from "../exporter/attrs.js";
import { readCompression } from "../exporter/compression.js";
import type { RemoteAccess } from "../remote.js";
import type { ClientContent } from "../session/content.js";
import type { CacheSource, CacheTarget } from "./backend.js";
import type { CacheForm } from "./cacheManifest.js";
import { clientBlobs, clientOrigin, clientSource, clientTarget } from "./clientCache.js";
import type { CacheExport } from "./exportCaches.js";
import { localSource, localTarget } from "./localCache.js";
import { readLocalExport, readLocalImport } from "./localSpecs.js";
import { objectFetch, objectSource, objectTarget } from "./objectCache.js";
import { readMountOptions } from "./mountOptions.js";
import { durationMs, objectCacheOf } from "./objectSpecs.js";
import { type RegistryAccess, registrySource, registryTarget } from "./registryCache.js";

/** `--cache-from` or `--cache-to` taken apart. */
export interface CacheSpec {
  /** "registry", "local", "inline", "gha", "s3". */
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** What caches are reached with. */
export interface CacheDeps {
  readonly store: Store;
  readonly remote: RemoteAccess;
  /** Whose directories `type=local` names: null is this process's. Clients may also say what nobody here knows. */
  readonly client: { open(dir: string): ClientContent } | null;
}

const importTypes: Readonly<Record<string, (attrs: Attrs, deps: CacheDeps) => CacheSource>> = {
  registry: registryImport,
  local: localImport,
  gha: (attrs, deps) => objectImport("gha", attrs, deps),
  s3: (attrs, deps) => objectImport("s3", attrs, deps),
};

const exportTypes: Readonly<Record<string, (attrs: Attrs, deps: CacheDeps, form: CacheForm) => CacheTarget>> = {
  registry: registryExport,
  local: localExport,
  gha: (attrs, deps) => objectTarget(objectCacheOf("gha", attrs, deps.store.content, deps.remote.transport), "exporting to GitHub Actions Cache"),
  s3: (attrs, deps) => objectTarget(objectCacheOf("s3", attrs, deps.store.content, deps.remote.transport), "exporting cache to Amazon S3"),
};

/** The caches of one build. */
export interface Caches {
  /** `id` is equal for what is one cache. */
  readonly sources: readonly { readonly id: string; readonly source: CacheSource }[];
  readonly exports: readonly CacheExport[];
  readonly inline: boolean;
}

/** The caches that a build asks for. @throws {TbuildError} invalid_argument, invalid_reference, unsupported */
export function createCaches({ from, to }: { readonly from: readonly CacheSpec[]; readonly to: readonly CacheSpec[] }, deps: CacheDeps): Caches {
  checkCacheExports(to);
  return {
    exports: to.filter((spec) => !isInline(spec)).map((spec) => createCacheExport(spec, deps)),
    sources: from.map((spec) => ({ id: JSON.stringify(spec), source: createCacheSource(spec, deps) })),
    inline: to.some(isInline),
  };
}

function createCacheSource(spec: CacheSpec, deps: CacheDeps): CacheSource {
  const make = importTypes[spec.type];
  if (make === undefined || !Object.hasOwn(importTypes, spec.type)) throw unknownName("cache import type", spec.type, Object.keys(importTypes));
  const attrs = readAttrs(spec, "cache import");
  const source = make(attrs, deps);
  const hasMounts = attrs.bool("mounts", true);
  if (deps.client === null) attrs.finish();
  return hasMounts ? source : withoutMounts(source);
}

function withoutMounts({ name, read }: CacheSource): CacheSource {
  return { name, read: async (opts) => (await read(opts)).map((found) => ({ ...found, cache: { ...found.cache, mounts: [] } })) };
}

/** True for the cache that goes into the image itself. */
function isInline({ type }: CacheSpec): boolean {
  return type === "inline";
}

const DEFAULT_TIMEOUT_MS = 600_000;

function createCacheExport(spec: CacheSpec, deps: CacheDeps): CacheExport {
  const make = exportTypes[spec.type];
  if (make === undefined || !Object.hasOwn(exportTypes, spec.type)) throw unknownName("cache export type", spec.type, [...Object.keys(exportTypes), "inline"]);
  const attrs = readAttrs(spec, "cache export");
  const { form, packed, ...options } = readExportOptions(attrs);
  const target = make(attrs, deps, form);
  if (deps.client === null) attrs.finish();
  const blobs = { ...packed, missing: "leave" as const, refetch: (blob: Parameters<RemoteAccess["refetch"]>[0]) => deps.remote.refetch(blob, {}) };
  return { target, blobs, ...options };
}

/** How a cache is exported, wherever it goes. */
export interface ExportOptions extends Pick<CacheExport, "mode" | "mounts" | "onError" | "timeoutMs"> {
  readonly form: CacheForm;
  readonly packed: Pick<CacheExport["blobs"], "compression" | "level" | "force">;
}

/** Options that all kinds of exports have. @throws {TbuildError} invalid_argument */
export function readExportOptions(attrs: Attrs): ExportOptions {
  const mode = attrs.text("mode") ?? "min";
  if (mode !== "min" && mode !== "max") throw attrs.invalid("mode", '"min" or "max"');
  const { compression, level, force, layout } = readCompression(attrs);
  if (layout === "estargz") throw attrs.invalid("compression", '"gzip", "zstd" or "uncompressed" for a cache');
  const timeoutMs = durationMs(attrs, "timeout") ?? DEFAULT_TIMEOUT_MS;
  const mounts = readMountOptions(attrs);
  const onError = attrs.bool("ignore-error", true) ? "warn" : "fail";
  return { mode, form: formOf(attrs), packed: { compression, level, force }, mounts, onError, timeoutMs };
}

/** No cache is written twice, and what goes into an image has no mounts. @throws {TbuildError} invalid_argument, unsupported */
export function checkCacheExports(specs: readonly CacheSpec[]): void {
  if (specs.some((spec) => isInline(spec) && readMountOptions(readAttrs(spec, "cache export")) !== null)) {
    const hint = "Add a cache beside the image, such as --cache-to type=registry,ref=NAME:cache,mounts=true";
    throw new TbuildError("unsupported", 'Cannot export cache mounts with cache export type "inline": they are no part of an image', { hint });
  }
  const seen = new Set<string>();
  for (const spec of specs.filter((one) => !isInline(one))) {
    const key = JSON.stringify([spec.type, Object.entries(spec.attrs).sort(([a], [b]) => (a < b ? -1 : 1))]);
    if (seen.has(key)) throw new TbuildError("invalid_argument", `duplicate cache exports [${spec.type}]`);
    seen.add(key);
  }
}

function formOf(attrs: Attrs): CacheForm {
  const oci = attrs.bool("oci-mediatypes", true);
  const image = attrs.bool("image-manifest", oci);
  if (image && !oci) throw attrs.invalid("oci-mediatypes", "true with image-manifest=true");
  return image ? "image-manifest" : oci ? "oci-index" : "docker-index";
}

function registryImport(attrs: Attrs, deps: CacheDeps): CacheSource {
  const { reference, name, access } = registryOf(attrs, deps);
  deps.remote.origins.set(access.origin, (blob, opts) => access.client.fetchBlob({ ...reference, tag: null, digest: null }, blob, deps.store.content, opts));
  return registrySource(reference, name, access);
}

function registryExport(attrs: Attrs, deps: CacheDeps, form: CacheForm): CacheTarget {
  const { reference, access } = registryOf(attrs, deps);
  if (reference.digest !== null) throw attrs.invalid("ref", "a name without a digest");
  return registryTarget(reference, form, access);
}

function registryOf(attrs: Attrs, { store, remote }: CacheDeps): { readonly reference: Reference; readonly name: string; readonly access: RegistryAccess } {
  const name = attrs.required("ref", "Write type=registry,ref=REGISTRY/REPOSITORY:TAG");
  const reference = withDefaultTag(parseReference(name));
  const insecure = attrs.bool("registry.insecure", false);
  const { registry, repository } = reference;
  const access = { client: remote.direct(registry, insecure), content: store.content, push: remote.push, insecure, origin: `${registry}/${repository}` };
  return { reference, name, access };
}

function objectImport(type: "gha" | "s3", attrs: Attrs, deps: CacheDeps): CacheSource {
  attrs.text("timeout"); // of an export
  const cache = objectCacheOf(type, attrs, deps.store.content, deps.remote.transport);
  deps.remote.origins.set(cache.origin, objectFetch(cache));
  return objectSource(cache);
}

function localImport(attrs: Attrs, { store: { content }, client, remote }: CacheDeps): CacheSource {
  const { dir, tag, digest } = readLocalImport(attrs);
  if (client === null) return localSource({ dir: path.resolve(dir), content }, tag, digest);
  const open = () => client.open(dir);
  const place = { registry: "localhost", repository: "layout/cache", tag: null, digest: null };
  remote.origins.set(clientOrigin(dir), (blob, opts) => clientBlobs(open()).fetchBlob(place, blob, content, opts));
  const named = attrs.required("digest", "Clients name the digest of what the index of the directory has");
  return clientSource({ dir, open, content }, parseDigest(named));
}

function localExport(attrs: Attrs, { store: { content }, client }: CacheDeps, form: CacheForm): CacheTarget {
  const { dir, ...options } = readLocalExport(attrs);
  if (client === null) return localTarget({ dir: path.resolve(dir), content }, { ...options, form });
  return clientTarget({ dir, open: () => client.open(dir), content }, form);
}
