import {
  mediaTypes,
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type Index,
  type Manifest,
} from "../../cache/oci/descriptor.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import type { Platform } from "../../cache/oci/platform.js";
import { layerAnnotations } from "./layerAnnotations.js";
import { configJson, indexJson, manifestJson } from "./canonical.js";

/** Whose media types a manifest names. */
export type Flavour = "oci" | "docker";

/** A layer of an image that is put together. */
export interface AssembleLayer {
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** True when it changes nothing: the image gets the line of history and no layer. */
  readonly empty: boolean;
}

/** JSON and what points at it. */
export interface Document {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
}

/**
 * Final config: `image` is the frontend's, with history not yet joined; layers base first, empty ones included.
 * Pure, and the same bytes for equal input.
 */
export function assembleConfig(
  image: ImageConfig,
  layers: readonly AssembleLayer[],
  flavour: Flavour = "oci",
): Document & { config: ImageConfig } {
  const diffIds = layers.filter(({ empty }) => !empty).map(({ diffId }) => diffId);
  const config: ImageConfig = {
    ...image,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: joinHistory(image.history ?? [], layers, image.created),
  };
  const mediaType = flavour === "oci" ? mediaTypes.ociConfig : mediaTypes.dockerConfig;
  return { config, ...toDocument(configJson(config), mediaType) };
}

/** Manifest of a config and the blobs of its layers, base first, which may have media types of either flavour. */
export function assembleManifest(config: Descriptor, layers: readonly Descriptor[], options: ManifestOptions = {}): Document {
  const { flavour = "oci", annotations } = options;
  const mediaType = flavour === "oci" ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
    layers: layers.map((layer) => manifestLayer(layer, flavour)),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return toDocument(manifestJson(manifest), mediaType);
}

/** Options of {@link assembleManifest} and {@link assembleIndex}. */
export interface ManifestOptions {
  readonly flavour?: Flavour | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Index of the manifests of several platforms, in the order given. */
export function assembleIndex(
  manifests: readonly { readonly descriptor: Descriptor; readonly platform: Platform }[],
  { flavour = "oci", annotations }: ManifestOptions = {},
): Document {
  const mediaType = flavour === "oci" ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  const entries = manifests.map(({ descriptor, platform }) => ({ ...descriptor, platform }));
  const index: Index = { schemaVersion: 2, mediaType, manifests: entries, ...(annotations === undefined ? {} : { annotations }) };
  return toDocument(indexJson(index), mediaType);
}

/**
 * History in which as many entries have a layer as the image has layers. Entries are matched to layers from the end,
 * where each instruction of ours has written its line; what a base image lacks or has too much is put right at the start.
 */
export function joinHistory(history: readonly HistoryEntry[], layers: readonly AssembleLayer[], created?: string): readonly HistoryEntry[] {
  const withLayer = history.filter((entry) => entry.empty_layer !== true).length;
  const missing = Math.max(0, layers.length - withLayer);
  const padding = Array.from({ length: missing }, (): HistoryEntry => ({ ...(created === undefined ? {} : { created }), comment: "layer without history" }));
  let index = Math.min(0, layers.length - withLayer);
  return [...padding, ...history].map((entry) => {
    if (entry.empty_layer === true) return entry;
    const layer = layers[index++];
    return layer === undefined || layer.empty ? { ...entry, empty_layer: true } : entry;
  });
}

/** A layer with URLs may not be distributed. Of its annotations stay those that readers need, where there is a place for any. */
function manifestLayer({ mediaType, digest, size, annotations, urls = [] }: Descriptor, flavour: Flavour): Descriptor {
  const isForeign = urls.length > 0;
  const kept = flavour === "docker" ? undefined : layerAnnotations(annotations);
  return {
    mediaType: layerType(mediaType, flavour, isForeign),
    digest,
    size,
    ...(isForeign ? { urls } : {}),
    ...(kept === undefined ? {} : { annotations: kept }),
  };
}

const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
const DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar";
const OCI_FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar";

function layerType(type: string, flavour: Flavour, isForeign: boolean): string {
  const suffix = /(?:[+.](gzip|zstd))?$/.exec(type)?.[1];
  const [own, foreign] = flavour === "docker" ? [DOCKER_LAYER, DOCKER_FOREIGN_LAYER] : [mediaTypes.ociLayer, OCI_FOREIGN_LAYER];
  const base = isForeign ? foreign : own;
  return suffix === undefined ? base : `${base}${flavour === "docker" ? "." : "+"}${suffix}`;
}

function toDocument(bytes: Buffer, mediaType: string): Document {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}
