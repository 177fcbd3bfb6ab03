import { TbuildError } from "../../cache/errors.js";
import type { ContentStore } from "../../cache/content/store.js";
import type { Descriptor, ImageConfig, Manifest } from "../../cache/oci/descriptor.js";
import { parsePlatform, type Platform } from "../../cache/oci/platform.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import { hasBlob } from "../registry/client.js";
import { configLimit, manifestLimit, parseImageConfig, parseManifest } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import type { ArchiveFiles } from "./archiveRead.js";
import type { PackedLayer } from "./applyBlob.js";

/** An image found in an archive; all its blobs are in the content store. */
export interface ArchiveImage {
  /** Full references. */
  readonly names: readonly string[];
  readonly platforms: readonly ArchivePlatform[];
}

/** One platform of it. */
export interface ArchivePlatform {
  readonly platform: Platform;
  readonly config: Descriptor;
  readonly layers: readonly PackedLayer[];
}

/**
 * Images that an archive's index.json or, where there is none, its manifest.json tells of.
 * @throws {TbuildError} corrupt, unsupported, invalid_reference
 */
export async function findImages(content: ContentStore, files: ArchiveFiles): Promise<readonly ArchiveImage[]> {
  const docker = files.get("manifest.json");
  const tagged = docker === undefined ? [] : dockerEntries(await readBlob(content, docker.digest, manifestLimit));
  const index = files.get("index.json");
  if (index !== undefined) return await layoutImages(content, index, files, tagged);
  if (docker !== undefined) return await Promise.all(tagged.map((entry) => dockerImage(content, files, entry)));
  throw new TbuildError("corrupt", "Cannot load image archive: it has neither index.json nor manifest.json", {
    hint: "Use `tbuild image import` for the tar of a root file system",
  });
}

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

function dockerEntries(bytes: Buffer): readonly DockerEntry[] {
  try {
    const value = JSON.parse(bytes.toString("utf8")) as unknown;
    if (Array.isArray(value) && value.every(isDockerEntry)) return value;
  } catch {
    // told below, like JSON of another shape
  }
  throw new TbuildError("corrupt", "Cannot load image archive: manifest.json is not a list of images");
}

function isDockerEntry(value: unknown): value is DockerEntry {
  const { Config, RepoTags, Layers } = (value ?? {}) as Record<string, unknown>;
  const isTexts = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === "string");
  return typeof Config === "string" && isTexts(Layers) && (RepoTags === null || RepoTags === undefined || isTexts(RepoTags));
}

async function dockerImage(
  content: ContentStore,
  files: ArchiveFiles,
  { Config, RepoTags, Layers }: DockerEntry,
): Promise<ArchiveImage> {
  const layers = Layers.map((name) => fileOf(files, name));
  const platform = await archivePlatform(content, fileOf(files, Config), layers);
  return { names: (RepoTags ?? []).map(fullName), platforms: [platform] };
}

function fileOf(files: ArchiveFiles, name: string): Descriptor {
  const found = files.get(name.replace(/^(?:\.\/)+/, ""));
  if (found === undefined) throw new TbuildError("corrupt", `Cannot load image archive: it lacks "${name}"`);
  return found;
}

/** One image for each digest of index.json, under all the names that it has there. */
async function layoutImages(
  content: ContentStore,
  index: Descriptor,
  files: ArchiveFiles,
  tagged: readonly DockerEntry[],
): Promise<readonly ArchiveImage[]> {
  const parsed = parseManifest(await readBlob(content, index.digest, manifestLimit), "index.json");
  if (parsed.kind !== "index") throw new TbuildError("corrupt", "Cannot load image archive: index.json is not an index");
  const roots = new Map<string, Descriptor[]>();
  for (const entry of parsed.index.manifests) roots.set(entry.digest, [...(roots.get(entry.digest) ?? []), entry]);
  return await Promise.all(
    [...roots.values()].map(async (entries) => {
      const platforms = await platformsOf(content, entries[0]!, 2);
      const own = entries.flatMap(({ annotations }) => layoutNames(annotations));
      const names = own.length > 0 ? own : dockerNames(files, tagged, platforms);
      return { names: [...new Set(names)], platforms };
    }),
  );
}

/** A tag alone ("v1") is no name; podman and skopeo write full ones there too. */
function layoutNames(annotations: Descriptor["annotations"]): readonly string[] {
  const full = annotations?.["io.containerd.image.name"];
  if (full !== undefined) return [fullName(full)];
  const ref = annotations?.["org.opencontainers.image.ref.name"] ?? "";
  return /[:/]/.test(ref) ? [fullName(ref)] : [];
}

function dockerNames(
  files: ArchiveFiles,
  tagged: readonly DockerEntry[],
  platforms: readonly ArchivePlatform[],
): readonly string[] {
  const same = tagged.filter(({ Config }) => platforms.some(({ config }) => config.digest === fileOf(files, Config).digest));
  return same.flatMap(({ RepoTags }) => (RepoTags ?? []).map(fullName));
}

/** The platforms of an image whose manifest, or index of manifests, is this; all its blobs are in the content store. @throws {TbuildError} corrupt */
export async function storedPlatforms(content: ContentStore, root: Descriptor): Promise<readonly ArchivePlatform[]> {
  return await platformsOf(content, root, 1);
}

async function platformsOf(content: ContentStore, entry: Descriptor, nesting: number): Promise<readonly ArchivePlatform[]> {
  await requireBlob(content, entry);
  const parsed = parseManifest(await readBlob(content, entry.digest, manifestLimit), `manifest ${entry.digest}`);
  if (parsed.kind === "manifest") return [await manifestPlatform(content, parsed.manifest)];
  if (nesting === 0) throw new TbuildError("unsupported", "Cannot load image archive: too many nested indexes");
  // An archive may leave platforms out that its index names; attestations are no images.
  const images = parsed.index.manifests.filter(({ platform }) => platform?.os !== "unknown");
  const present = await Promise.all(images.map(async (child) => ((await hasBlob(content, child)) ? [child] : [])));
  return (await Promise.all(present.flat().map((child) => platformsOf(content, child, nesting - 1)))).flat();
}

async function manifestPlatform(content: ContentStore, { config, layers }: Manifest): Promise<ArchivePlatform> {
  for (const blob of [config, ...layers]) await requireBlob(content, blob);
  return await archivePlatform(content, config, layers);
}

async function requireBlob(content: ContentStore, blob: Descriptor): Promise<void> {
  if (!(await hasBlob(content, blob))) throw new TbuildError(
    "corrupt",
    `Cannot load image archive: it lacks blob ${blob.digest}`,
  );
}

async function archivePlatform(
  content: ContentStore,
  config: Descriptor,
  layers: readonly Descriptor[],
): Promise<ArchivePlatform> {
  const parsed = parseImageConfig(await readBlob(content, config.digest, configLimit), `config ${config.digest}`);
  const { diff_ids } = parsed.rootfs;
  if (diff_ids.length !== layers.length) {
    throw new TbuildError(
      "corrupt",
      `Cannot load image ${config.digest}: it has ${layers.length} layers but ${diff_ids.length} diff_ids`,
    );
  }
  const typed = await Promise.all(layers.map((layer) => withLayerType(content, layer)));
  return { platform: platformOf(parsed), config, layers: typed.map((blob, index) => ({ blob, diffId: diff_ids[index]! })) };
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return parsePlatform(variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`);
}

/** Docker's archives do not say how a layer is compressed; the first bytes do. */
async function withLayerType(content: ContentStore, blob: Descriptor): Promise<Descriptor> {
  if (blob.mediaType !== "application/octet-stream") return blob;
  let magic = "";
  for await (const chunk of content.read(blob.digest)) {
    magic = Buffer.from(chunk.subarray(0, 4)).toString("hex");
    break;
  }
  const suffix = magic.startsWith("1f8b") ? "+gzip" : magic === "28b52ffd" ? "+zstd" : "";
  return { ...blob, mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}` };
}

function fullName(name: string): string {
  return formatReference(withDefaultTag(parseReference(name)));
}
