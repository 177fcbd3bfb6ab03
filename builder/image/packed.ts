import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import { putBlob } from "../registry/resolve.js";
import { assembleIndex, assembleManifest, type Document, type Flavour } from "./assemble.js";
import { layerBlobs, type BlobOptions } from "./blobs.js";
import type { SnapshotLayer } from "./layers.js";

/** An image of one platform whose blobs are all in the content store. */
export interface PackedImage {
  readonly platform: Platform;
  readonly config: Descriptor;
  readonly manifest: Document;
  /** Base first, as in the manifest. */
  readonly layers: readonly Descriptor[];
  /** RFC 3339; undefined when the config does not say. */
  readonly created: string | undefined;
}

/** What goes into a {@link PackedImage}. */
export interface ImageParts {
  readonly platform: Platform;
  readonly config: Document;
  /** Base first, without empty ones. */
  readonly layers: readonly SnapshotLayer[];
  readonly created: string | undefined;
}

/** How images are packed. */
export interface PackOptions extends BlobOptions {
  readonly flavour?: Flavour;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Makes the layers' blobs, and writes config and manifest to the content store. */
export async function packImage(
  store: Store,
  { platform, config, layers, created }: ImageParts,
  options: PackOptions,
): Promise<PackedImage> {
  const blobs = await layerBlobs(store, layers, options);
  const manifest = assembleManifest(config.descriptor, blobs, options);
  for (const { bytes, descriptor } of [config, manifest]) await putBlob(store.content, bytes, descriptor.digest, options);
  return { platform, config: config.descriptor, manifest, layers: blobs, created };
}

/** What a name stands for: the manifest of the only platform, or an index over all of them. */
export async function rootOf(store: Store, images: readonly PackedImage[], flavour: Flavour, opts: Opts): Promise<Descriptor> {
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0) return only.manifest.descriptor;
  const entries = images.map(({ manifest, platform }) => ({ descriptor: manifest.descriptor, platform }));
  const index = assembleIndex(entries, { flavour });
  await putBlob(store.content, index.bytes, index.descriptor.digest, opts);
  return index.descriptor;
}
