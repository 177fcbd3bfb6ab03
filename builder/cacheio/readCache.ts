import { TbuildError } from "../../cache/errors.js";
import type { ContentStore } from "../../cache/content/store.js";
import { type Descriptor, inlineKey, type Manifest } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { RegistryClient } from "../registry/client.js";
import { configLimit, isLayerType, parseImageConfig, parseManifest } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import { parseCacheConfig, parseInlineRecords } from "./cacheConfig.js";
import { cacheContents } from "./cacheManifest.js";
import type { SharedCache } from "./sharedCache.js";

/** What {@link readRegistryCache} works with. */
export interface ReadDeps {
  readonly client: RegistryClient;
  readonly content: ContentStore;
}

/** Caches behind one name. */
export interface RegistryCache {
  /** Of what the name stands for. */
  readonly digest: Digest;
  readonly caches: readonly SharedCache[];
  /** "inline": the name is an image's, and nothing can be added to it. */
  readonly kind: "cache" | "inline";
}

/** Largest config of a cache that is read, in bytes. */
export const cacheLimit = 64 << 20;

/** Indexes of indexes. */
const MAX_NESTING = 2;

/** Manifests of one image that are looked into. */
const MAX_PLATFORMS = 64;

/**
 * The cache that a name stands for, or the caches inside of the image that it stands for. Every byte is checked.
 * @throws {TbuildError} not_found, corrupt, digest_mismatch
 */
export async function readRegistryCache(deps: ReadDeps, reference: Reference, name: string, opts: StepOpts): Promise<RegistryCache> {
  const { descriptor, bytes } = await deps.client.manifest(reference, opts);
  const parsed = parseManifest(bytes, `the manifest of cache "${name}"`);
  const found = cacheContents(parsed);
  if (found === null) {
    const manifests = parsed.kind === "manifest" ? [parsed.manifest] : await manifestsOf(deps, reference, parsed.index.manifests, name, MAX_NESTING, opts);
    const caches = await Promise.all(manifests.map((manifest) => inlineCache(deps, reference, manifest, name, opts)));
    return { digest: descriptor.digest, caches: caches.filter((cache) => cache !== null), kind: "inline" };
  }
  const config = await smallBlob(deps, reference, found.config, cacheLimit, name, opts);
  return { digest: descriptor.digest, caches: [parseCacheConfig(config, found.blobs, `the config of cache "${name}"`)], kind: "cache" };
}

async function manifestsOf(
  deps: ReadDeps,
  reference: Reference,
  entries: readonly Descriptor[],
  name: string,
  nesting: number,
  opts: StepOpts,
): Promise<readonly Manifest[]> {
  if (nesting === 0) return [];
  const found = await Promise.all(
    entries.slice(0, MAX_PLATFORMS).map(async ({ digest, platform }) => {
      if (platform?.os === "unknown") return []; // attestations
      const { bytes } = await deps.client.manifest({ ...reference, digest }, opts);
      const parsed = parseManifest(bytes, `manifest ${digest} of cache "${name}"`);
      return parsed.kind === "manifest" ? [parsed.manifest] : await manifestsOf(deps, reference, parsed.index.manifests, name, nesting - 1, opts);
    }),
  );
  return found.flat();
}

/** Null when the image has none. Source: BuildKit cache/remotecache/import.go. */
async function inlineCache(deps: ReadDeps, reference: Reference, { config, layers }: Manifest, name: string, opts: StepOpts): Promise<SharedCache | null> {
  const what = `the config of image "${name}"`;
  const bytes = await smallBlob(deps, reference, config, configLimit, name, opts);
  const records = (JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly [inlineKey]?: unknown })[inlineKey];
  if (typeof records !== "string" || !layers.every(({ mediaType }) => isLayerType(mediaType))) return null;
  const image = parseImageConfig(bytes, what);
  const diffIds = image.rootfs.diff_ids;
  if (diffIds.length !== layers.length) throw new TbuildError("corrupt", `Cannot read ${what}: it has ${diffIds.length} diff_ids for ${layers.length} layers`);
  const createdAt = image.created ?? new Date(0).toISOString();
  const chain = layers.map((blob, index) => ({ blob, diffId: diffIds[index]!, createdAt }));
  return parseInlineRecords(Buffer.from(records, "base64"), chain, what);
}

async function smallBlob({ client, content }: ReadDeps, reference: Reference, blob: Descriptor, limit: number, name: string, opts: StepOpts): Promise<Uint8Array> {
  if (blob.size > limit) throw new TbuildError("corrupt", `Cannot read cache "${name}": its config is larger than ${limit} bytes`);
  await client.fetchBlob(reference, blob, content, opts);
  return await readBlob(content, blob.digest, limit);
}
