import { TbuildError } from "../../cache/errors.js";
import type { ContentStore, Opts } from "../../cache/content/store.js";
import type { Descriptor, ImageConfig, Index, Manifest } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { formatPlatform, platformScore, type Platform } from "../../cache/oci/platform.js";
import { familiarReference, formatReference, withDefaultTag, type Reference } from "../../cache/oci/reference.js";
import { hasBlob, type RegistryClient } from "./client.js";
import { configLimit, isLayerType, manifestLimit, parseImageConfig, parseManifest } from "./manifest.js";
import type { ReportedOpts } from "./retry.js";

/** An image of one platform in a registry. */
export interface RemoteImage {
  readonly reference: Reference;
  /** Digest of what the reference names: an index, or the manifest itself. */
  readonly root: Digest;
  /** Digest of the platform's manifest. */
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** Finds images in registries. Manifests and configs are kept in the content store, so that a digest asks nobody twice. */
export interface RemoteImages {
  /**
   * The manifest and config for a platform; an answer is remembered for as long as this object lives, which is one build.
   * @throws {TbuildError} not_found, unauthorized, unavailable, digest_mismatch, corrupt, unsupported
   */
  resolve(reference: Reference, platform: Platform, opts?: ReportedOpts): Promise<RemoteImage>;
}

const MAX_NESTING = 2;

/** Platforms that a hint names. */
const MAX_NAMED = 20;

/** See {@link RemoteImages}. */
export function createRemoteImages(client: RegistryClient, content: ContentStore): RemoteImages {
  const memo = new Map<string, Promise<RemoteImage>>();
  return {
    resolve(given, platform, opts = {}) {
      const reference = withDefaultTag(given);
      const key = `${formatReference(reference)} ${formatPlatform(platform)}`;
      const known = memo.get(key);
      if (known !== undefined) return known;
      const answer = resolveImage(client, content, reference, platform, opts);
      memo.set(key, answer);
      answer.catch(() => memo.delete(key));
      return answer;
    },
  };
}

async function resolveImage(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference,
  platform: Platform,
  opts: ReportedOpts,
): Promise<RemoteImage> {
  const root = reference.digest ?? (await rootDigest(client, content, reference, opts));
  const { digest, manifest } = await descend(client, content, { ...reference, digest: root }, platform, MAX_NESTING, opts);
  const name = `the config of "${formatReference(reference)}"`;
  if (manifest.config.size > configLimit) throw new TbuildError(
    "corrupt",
    `Cannot read ${name}: larger than ${configLimit} bytes`,
  );
  await client.fetchBlob(reference, manifest.config, content, opts);
  const config = parseImageConfig(await readBlob(content, manifest.config.digest, configLimit), name);
  const odd = manifest.layers.find(({ mediaType }) => !isLayerType(mediaType));
  if (odd !== undefined) throw new TbuildError(
    "unsupported",
    `Cannot use image "${formatReference(reference)}": layer ${odd.digest} has the media type "${odd.mediaType}"`,
    { hint: "A layer is a tar, plain or compressed with gzip or zstd" },
  );
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    const counts = `${manifest.layers.length} layers but ${config.rootfs.diff_ids.length} diff_ids`;
    throw new TbuildError("corrupt", `Cannot use image "${formatReference(reference)}": it has ${counts}`);
  }
  return { reference, root, digest, manifest, config };
}

/** Digest behind a tag. A HEAD does it where it can: registries that count pulls count only what is downloaded. @throws as resolve */
export async function rootDigest(client: RegistryClient, content: ContentStore, reference: Reference, opts: ReportedOpts): Promise<Digest> {
  const head = await client.head(reference, opts);
  if (head !== null) return head.digest;
  const { descriptor, bytes } = await client.manifest(reference, opts);
  await putBlob(content, bytes, descriptor.digest, opts);
  return descriptor.digest;
}

/** Follows indexes down to the manifest for the platform. `reference` has a digest. */
async function descend(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference & { readonly digest: Digest },
  platform: Platform,
  nesting: number,
  opts: ReportedOpts,
): Promise<{ readonly digest: Digest; readonly manifest: Manifest }> {
  const bytes = await manifestBytes(client, content, reference, opts);
  const parsed = parseManifest(bytes, `the manifest of "${formatReference(reference)}"`);
  if (parsed.kind === "manifest") return { digest: reference.digest, manifest: parsed.manifest };
  if (nesting === 0) throw new TbuildError(
    "unsupported",
    `Cannot use image "${formatReference(reference)}": too many nested indexes`,
  );
  const chosen = chooseManifest(parsed.index, platform);
  if (chosen === null) throw missingPlatform(reference, platform, parsed.index);
  return await descend(client, content, { ...reference, digest: chosen.digest }, platform, nesting - 1, opts);
}

/**
 * Entry of an index that serves the platform best; the first of equals. An entry that does not say its platform (an
 * index of an index) is only taken when no other fits. Pure.
 */
export function chooseManifest(index: Index, platform: Platform): Descriptor | null {
  const scored = index.manifests.map((entry) => ({ entry, score: entryScore(entry, platform) }));
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { entry: null as Descriptor | null, score: 0 });
  return best.entry;
}

function entryScore({ platform: have }: Descriptor, want: Platform): number {
  if (!have) return 0.5; // null too, as Go may write it
  return have.os && have.architecture ? platformScore(want, { ...have, variant: have.variant ?? "" }) : 0;
}

async function manifestBytes(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference & { digest: Digest },
  opts: ReportedOpts,
) {
  if (await hasBlob(content, { digest: reference.digest })) return await readBlob(content, reference.digest, manifestLimit);
  const { bytes } = await client.manifest(reference, opts);
  await putBlob(content, bytes, reference.digest, opts);
  return bytes;
}

/** A small blob's bytes. @throws {TbuildError} not_found, corrupt when it is larger than `limit` bytes */
export async function readBlob(content: ContentStore, digest: Digest, limit: number): Promise<Buffer> {
  const { size } = await content.info(digest);
  if (size > limit) throw new TbuildError("corrupt", `Cannot read blob ${digest}: larger than ${limit} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.read(digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Writes a small blob; one that is there already is a success. */
export async function putBlob(content: ContentStore, bytes: Uint8Array, digest: Digest, opts: Opts = {}): Promise<void> {
  if (await hasBlob(content, { digest })) return;
  await using ingest = await content.ingest(`put-${digest.replace(":", "-")}-${Math.random().toString(36).slice(2)}`, opts);
  await ingest.write(bytes);
  await ingest.commit({ digest, size: bytes.length });
}

function missingPlatform(reference: Reference, platform: Platform, index: Index): TbuildError {
  const named = index.manifests.flatMap(
    ({ platform: have }) => (have?.os && have.os !== "unknown" ? [formatPlatform(have.variant ? have : { os: have.os, architecture: have.architecture })] : []),
  );
  const different = [...new Set(named)];
  const more = different.length > MAX_NAMED ? ` and ${different.length - MAX_NAMED} more` : "";
  const name = familiarReference({ ...reference, digest: null });
  const message = `Cannot use image "${name}" for ${formatPlatform(platform)}: no such platform`;
  return new TbuildError(
    "not_found",
    message,
    { hint: named.length === 0 ? "The index is empty" : `It has ${different.slice(0, MAX_NAMED).join(", ")}${more}` },
  );
}
