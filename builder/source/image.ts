import { TbuildError } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { ImageManifestRecord } from "../../cache/meta/records.js";
import { digestOf } from "../../cache/oci/digest.js";
import { formatPlatform, hostPlatform, type Platform } from "../../cache/oci/platform.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import { declareLayers } from "../image/absent.js";
import type { PackedLayer } from "../image/applyBlob.js";
import { layerAnnotations } from "../image/layerAnnotations.js";
import { layerFetcher } from "../image/fetching.js";
import { unpackLayers } from "../image/unpack.js";
import type { FetchOpts, RegistryClient } from "../registry/client.js";
import type { RemoteImage } from "../registry/resolve.js";
import { findStoredImage, type ImageLookup } from "./imageStore.js";
import type { ResolvedSource, Source } from "./source.js";

/** What the image source works with. */
export interface ImageSourceDeps extends ImageLookup {
  readonly client: RegistryClient;
}

/** Annotation of a layer's stored descriptor: the repository it came from, so that a pruned blob can be fetched again. */
export const sourceAnnotation = "tbuild.source";

/**
 * Brings back a pulled layer's blob that was pruned, from the repository it came from; for exporters.
 * @throws {TbuildError} not_found when nobody knows where from, and as fetchBlob
 */
export async function refetchBlob(client: RegistryClient, store: Store, blob: Descriptor, opts: FetchOpts = {}): Promise<void> {
  const repository = blob.annotations?.[sourceAnnotation];
  if (repository === undefined) {
    throw new TbuildError("not_found", `Cannot fetch layer ${blob.digest} again: its repository is not known`);
  }
  await client.fetchBlob(parseReference(repository), blob, store.content, opts);
}

/**
 * `docker-image://reference`: an image of the image store, or of a registry. The attribute "image.resolvemode" may say
 * "pull" for one op. The pin is the digest of the platform's manifest, of a stored image that of its config.
 */
export function createImageSource(deps: ImageSourceDeps): Source {
  return {
    schemes: ["docker-image"],
    async resolve({ identifier, attrs, platform }, opts) {
      const reference = withDefaultTag(parseReference(identifier.replace(/^docker-image:\/\//, "")));
      const wanted = platform ?? hostPlatform();
      const isLocal = deps.policy === "local-first" && attrs["image.resolvemode"] !== "pull" && !("image.layerlimit" in attrs || "image.checksum" in attrs);
      const stored = isLocal ? findStoredImage(deps.store.images, reference, wanted) : null;
      if (stored !== null) return storedSource(deps.store, stored, formatReference(reference), wanted);
      const image = await deps.remote.resolve(reference, wanted, opts);
      checkDigest(image, attrs["image.checksum"] ?? "");
      const { registry, repository } = image.reference;
      return remoteSource({ ...deps, origin: `${registry}/${repository}` }, limited(image, attrs["image.layerlimit"] ?? ""), wanted);
    },
  };
}

/** @throws {TbuildError} digest_mismatch unless this is the image that is meant */
function checkDigest({ root, reference }: RemoteImage, checksum: string): void {
  if (checksum === "" || checksum === root) return;
  throw new TbuildError("digest_mismatch", `Cannot use "${formatReference(reference)}": image digest ${root} for ${formatReference(reference)} does not match expected checksum ${checksum}`);
}

/** The lowest layers of an image, if there is a limit; another image, which its manifest does not tell from the whole. */
function limited(image: RemoteImage, limit: string): RemoteImage {
  if (limit === "") return image;
  const count = Number(limit);
  if (!/^\d+$/.test(limit) || count === 0) throw new TbuildError("invalid_argument", `Cannot use image.layerlimit: invalid layer limit "${limit}"`);
  const layers = image.manifest.layers.slice(0, count);
  const rootfs = { ...image.config.rootfs, diff_ids: image.config.rootfs.diff_ids.slice(0, count) };
  return { ...image, digest: digestOf(`tbuild.layerlimit.v1\n${image.digest}\n${count}`), manifest: { ...image.manifest, layers }, config: { ...image.config, rootfs } };
}

function storedSource(
  store: Store,
  { config, layers }: ImageManifestRecord,
  reference: string,
  platform: Platform,
): ResolvedSource {
  return {
    pin: digestOf(JSON.stringify([config, formatPlatform(platform)])),
    attributes: { image: reference, config, platform: formatPlatform(platform) },
    async snapshot() {
      const name = layers.at(-1)?.snapshot ?? null;
      if (name !== null) await store.pin([name]);
      return { kind: "snapshot", name };
    },
  };
}

/** From where, and how, the layers of an image come. */
export interface LayerOrigin {
  readonly store: Store;
  readonly client: RegistryClient;
  /** What {@link sourceAnnotation} says of its layers. */
  readonly origin: string;
}

/** An image that was resolved, as a source. */
export function remoteSource({ store, client, origin }: LayerOrigin, image: RemoteImage, platform: Platform): ResolvedSource {
  const layers = packedLayers(image, origin);
  return {
    pin: image.digest,
    attributes: { image: formatReference(image.reference), manifest: image.digest, platform: formatPlatform(platform) },
    async snapshot(opts) {
      const fetch = await layerFetcher((blob, how) => client.fetchBlob(image.reference, blob, store.content, how), opts);
      return { kind: "snapshot", name: await unpackLayers(store, layers, { ...opts, fetch }) };
    },
    async declare() {
      const declared = await declareLayers(store, layers);
      return declared === null ? null : { kind: "snapshot", ...declared };
    },
  };
}

function packedLayers(image: RemoteImage, origin: string): readonly PackedLayer[] {
  return image.manifest.layers.map((blob, index) => {
    const annotations = { ...layerAnnotations(blob.annotations), [sourceAnnotation]: origin };
    return { diffId: image.config.rootfs.diff_ids[index]!, blob: { ...blob, annotations } };
  });
}
