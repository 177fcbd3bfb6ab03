import type { Opts } from "../../cache/content/store.js";
import type { ImageManifestRecord, ImageRecord } from "../../cache/meta/records.js";
import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { configLimit, parseImageConfig } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import { assembleIndex, assembleManifest } from "./assemble.js";
import { type BlobOptions, presentBlob } from "./blobs.js";
import { snapshotLayer } from "./layers.js";
import { type ImageParts, packImage, rootOf, type PackedImage } from "./packed.js";

/** An image of the store with all its blobs in the content store, but for those that were asked to be left where they are. */
export interface StoredImage {
  /** The manifest, or the index over several platforms. */
  readonly root: Descriptor;
  readonly platforms: readonly PackedImage[];
  /** What the platforms were packed from, in their order. */
  readonly parts: readonly ImageParts[];
}

/** Packs what of an image was never packed. Its configs are kept byte for byte. @throws {TbuildError} not_found */
export async function packStored(store: Store, { manifests }: Pick<ImageRecord, "manifests">, options: BlobOptions): Promise<StoredImage> {
  const parts = await Promise.all(manifests.map((manifest) => recordParts(store, manifest, options)));
  const platforms = await Promise.all(parts.map((part) => packImage(store, part, options)));
  const root = await rootOf(store, platforms, platforms.length > 1 ? "index" : "manifest", options);
  return { root, platforms, parts };
}

/** Its config is kept byte for byte. */
async function recordParts(store: Store, { platform, config, layers }: ImageManifestRecord, options: Opts): Promise<ImageParts> {
  const bytes = await readBlob(store.content, config, configLimit);
  const { created } = parseImageConfig(bytes, `config ${config}`);
  const document = { bytes, descriptor: { mediaType: mediaTypes.ociConfig, digest: config, size: bytes.length } };
  const found = await Promise.all(layers.map(({ snapshot }) => snapshotLayer(store, snapshot, options)));
  return { platform, config: document, layers: found, created };
}

/** Digest of what {@link packStored} gives as the root, or null while a layer would have to be packed for it. */
export async function knownDigest(store: Store, { manifests }: Pick<ImageRecord, "manifests">): Promise<Digest | null> {
  const entries = await Promise.all(
    manifests.map(async ({ platform, config, layers }) => {
      const blobs = await Promise.all(layers.map(({ snapshot }) => presentBlob(store, store.meta.layers.get(snapshot)?.blobs ?? [])));
      const present = blobs.filter((blob) => blob !== null);
      const { size } = await store.content.info(config);
      const descriptor = { mediaType: mediaTypes.ociConfig, digest: config, size };
      return present.length < layers.length ? null : { platform, descriptor: assembleManifest(descriptor, present).descriptor };
    }),
  );
  const known = entries.filter((entry) => entry !== null);
  if (known.length < entries.length) return null;
  return (known.length === 1 ? known[0]! : assembleIndex(known)).descriptor.digest;
}
