import { TbuildError } from "../../cache/errors.js";
import type { ImageManifestRecord } from "../../cache/meta/records.js";
import type { Digest } from "../../cache/oci/digest.js";
import { formatPlatform, parsePlatform, platformScore, type Platform } from "../../cache/oci/platform.js";
import { familiarReference, type Reference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { chainIds } from "../image/unpack.js";
import type { RegistryClient } from "../registry/client.js";
import type { RemoteImage, RemoteImages } from "../registry/resolve.js";
import { remoteSource } from "./image.js";

/** What {@link pullImage} works with. */
export interface PullDeps {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly remote: RemoteImages;
}

/** An image that is here now, for the image store. */
export interface PulledImage {
  /** Digest of what the name stands for: an index, or the manifest itself. */
  readonly root: Digest;
  readonly record: ImageManifestRecord;
}

/**
 * Brings an image of one platform here: layers are downloaded side by side, verified and unpacked.
 * @throws {TbuildError} not_found, also for an image of another platform; unauthorized, unavailable, digest_mismatch, corrupt
 */
export async function pullImage({ store, client, remote }: PullDeps, reference: Reference, platform: Platform, opts: StepOpts): Promise<PulledImage> {
  const image = await remote.resolve(reference, platform, opts);
  const own = platformOf(image, platform);
  await remoteSource({ store, client, origin: `${reference.registry}/${reference.repository}` }, image, platform).snapshot(opts);
  const diffIds = image.config.rootfs.diff_ids;
  const chain = chainIds(diffIds);
  const layers = diffIds.map((diffId, index) => ({ diffId, snapshot: chain[index]! }));
  return { root: image.root, record: { platform: own, config: image.manifest.config.digest, layers } };
}

/** What the config says. Older configs leave out the variant: then an index is believed. @throws {TbuildError} not_found for another platform */
function platformOf({ reference, root, digest, config }: RemoteImage, wanted: Platform): Platform {
  const own = parsePlatform([config.os, config.architecture, ...(config.variant ? [config.variant] : [])].join("/"));
  if (platformScore(wanted, own) > 0) return own;
  if (root !== digest) return wanted;
  const name = familiarReference(reference);
  throw new TbuildError("not_found", `Cannot pull "${name}" for ${formatPlatform(wanted)}: it is for ${formatPlatform(own)}`, {
    hint: `Use --platform ${formatPlatform(own)}`,
  });
}
