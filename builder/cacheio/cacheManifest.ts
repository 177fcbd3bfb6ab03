import type { Descriptor } from "../../cache/oci/descriptor.js";
import { mediaTypes } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Document } from "../image/assemble.js";
import { indexJson, manifestJson } from "../image/canonical.js";
import { type ParsedManifest } from "../registry/manifest.js";
import { cacheConfigType, encodeCacheConfig } from "./cacheConfig.js";
import { blobsOf, type SharedCache } from "./sharedCache.js";

/** How a cache is written: an image manifest whose config is the cache's, or an index that lists all blobs. */
export type CacheForm = "image-manifest" | "oci-index" | "docker-index";

/** The documents that a cache is in a registry, besides its layers. */
export interface CacheDocuments {
  readonly manifest: Document;
  readonly config: Document;
}

/** Source: BuildKit cache/remotecache/export.go. Pure. */
export function cacheDocuments(cache: SharedCache, form: CacheForm): CacheDocuments {
  const bytes = encodeCacheConfig(cache);
  const config: Document = { bytes, descriptor: { mediaType: cacheConfigType, digest: digestOf(bytes), size: bytes.length } };
  const blobs = blobsOf(cache);
  return { config, manifest: form === "image-manifest" ? imageManifest(config.descriptor, blobs) : index(config.descriptor, blobs, form) };
}

function imageManifest(config: Descriptor, layers: readonly Descriptor[]): Document {
  const mediaType = mediaTypes.ociManifest;
  return document(manifestJson({ schemaVersion: 2, mediaType, config, layers }), mediaType);
}

function index(config: Descriptor, layers: readonly Descriptor[], form: CacheForm): Document {
  const mediaType = form === "oci-index" ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  return document(indexJson({ schemaVersion: 2, mediaType, manifests: [...layers, config] }), mediaType);
}

function document(bytes: Buffer, mediaType: string): Document {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

/** Config and blobs of a cache's manifest; null when it is that of an image, which may have a cache inline. */
export function cacheContents(parsed: ParsedManifest): { readonly config: Descriptor; readonly blobs: readonly Descriptor[] } | null {
  const isConfig = ({ mediaType }: Descriptor): boolean => mediaType === cacheConfigType;
  if (parsed.kind === "manifest") return isConfig(parsed.manifest.config) ? { config: parsed.manifest.config, blobs: parsed.manifest.layers } : null;
  const config = parsed.index.manifests.find(isConfig);
  return config === undefined ? null : { config, blobs: parsed.index.manifests.filter((entry) => !isConfig(entry)) };
}
