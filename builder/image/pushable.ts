import type { ContentStore } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { hasBlob } from "../registry/client.js";
import type { PushImage } from "../registry/push.js";
import type { PushBlob } from "../registry/pushBlob.js";
import { sourceAnnotation } from "./origin.js";
import type { ImageParts, PackedImage } from "./packed.js";

/** What a push may need besides the image. */
export interface PushSource {
  readonly content: ContentStore;
  /** Brings back a base layer's blob that is not in the content store. */
  readonly refetch?: ((blob: Descriptor) => Promise<void>) | undefined;
}

/**
 * A packed image as a registry takes it, without layers that stay at URLs of their own. `parts` and `images` are parallel; each
 * layer says where it came from, if it was pulled.
 */
export function pushableImage(
  parts: readonly ImageParts[],
  images: readonly PackedImage[],
  root: Descriptor,
  source: PushSource,
): PushImage {
  const layers = images.flatMap((image, index) =>
    image.layers.flatMap((layer, at) => (isForeign(layer) ? [] : withOrigin(layer, parts[index]!.layers[at]!.blobs))),
  );
  const configs = images.map(({ config }) => config);
  const said = images.flatMap(({ attestations }) => attestations ?? []);
  const statements = said.flatMap(({ config, layers: own }) => [config, ...own]).map(({ descriptor }) => descriptor);
  const manifests = [...images, ...said].map(({ manifest }) => manifest.descriptor);
  const children = manifests.filter(({ digest }) => digest !== root.digest);
  return { root, children, blobs: [...layers, ...configs, ...statements].map((blob) => pushBlobOf(blob, source)) };
}

function isForeign({ urls = [] }: Descriptor): boolean {
  return urls.length > 0;
}

function withOrigin(layer: Descriptor, known: readonly Descriptor[]): Descriptor {
  return known.find(({ digest }) => digest === layer.digest) ?? layer;
}

function pushBlobOf(blob: Descriptor, { content, refetch }: PushSource): PushBlob {
  const { mediaType, digest, size } = blob;
  return {
    descriptor: { mediaType, digest, size },
    origin: blob.annotations?.[sourceAnnotation] ?? null,
    fetch: async () => (await hasBlob(content, blob)) ? undefined : await refetch?.(blob),
  };
}
