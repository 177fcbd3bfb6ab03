import type { ImageStore } from "../../cache/images.js";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
import type { ContentStore } from "../../cache/content/store.js";
import type { ImageManifestRecord } from "../../cache/meta/records.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { formatPlatform, platformScore, type Platform } from "../../cache/oci/platform.js";
import { familiarReference, formatReference, parseReference, withDefaultTag, type Reference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { ImageResolver } from "../../frontend/mod.js";
import { configLimit, parseImageConfig } from "../registry/manifest.js";
import { readBlob, type RemoteImages } from "../registry/resolve.js";
import type { ReportedOpts } from "../registry/retry.js";

/** Whether a name is looked up in the image store before a registry is asked. A name with a digest never is. */
export type ImagePolicy = "local-first" | "pull";

/** What images are found with. */
export interface ImageLookup {
  readonly store: Store;
  readonly remote: RemoteImages;
  readonly policy: ImagePolicy;
}

/** The image store's image of this name for a platform; null when there is none. */
export function findStoredImage(images: ImageStore, reference: Reference, platform: Platform): ImageManifestRecord | null {
  if (reference.digest !== null) return null;
  return bestManifest(images.get(formatReference(withDefaultTag(reference)))?.manifests ?? [], platform);
}

/** The one that serves the platform best, the first of equals; null when none does. */
export function bestManifest(manifests: readonly ImageManifestRecord[], platform: Platform): ImageManifestRecord | null {
  const scored = manifests.map((manifest) => ({ manifest, score: platformScore(platform, manifest.platform) }));
  return scored.reduce(
    (a, b) => (b.score > a.score ? b : a),
    { manifest: null as ImageManifestRecord | null, score: 0 },
  ).manifest;
}

/** Config of an image of the store. @throws {TbuildError} not_found when its blob is gone */
export async function storedConfig(content: ContentStore, digest: Digest): Promise<ImageConfig> {
  return parseImageConfig(await readBlob(content, digest, configLimit), `the config ${digest}`);
}

/** What the frontend asks: the image store first, unless the policy is to pull, then the registry. */
export function createImageResolver({ store, remote, policy }: ImageLookup, opts: ReportedOpts = {}): ImageResolver {
  return async (text, platform) => {
    const reference = parseReference(text);
    const named = withDefaultTag(reference);
    const name = formatReference({ ...named, digest: null });
    const stored = policy === "pull" ? null : findStoredImage(store.images, named, platform);
    if (stored !== null) return { reference: name, digest: null, config: await storedConfig(store.content, stored.config) };
    try {
      const { root, config } = await remote.resolve(named, platform, opts);
      return { reference: name, digest: root, config };
    } catch (error) {
      throw policy === "pull" ? error : otherPlatforms(store.images, named, platform, error);
    }
  };
}

/** `error` is the registry's; that the store has the image for other platforms is most likely what the user has to know. */
function otherPlatforms(images: ImageStore, reference: Reference, platform: Platform, error: unknown): unknown {
  const record = reference.digest === null ? images.get(formatReference(reference)) : null;
  if (record === null || !isTbuildError(error) || error.code === "cancelled") return error;
  const name = familiarReference(reference);
  const have = record.manifests.map((manifest) => formatPlatform(manifest.platform)).join(", ");
  return new TbuildError("not_found", `Cannot use image "${name}" for ${formatPlatform(platform)}: the image store has it for ${have}`, {
    hint: `Nor could a registry give it: ${error.message}`,
    cause: error,
  });
}
