import type { FileContentStore } from "../../cache/content/store.js";
import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import { hexOf, type Digest } from "../../cache/oci/digest.js";
import { familiarReference, parseReference } from "../../cache/oci/reference.js";
import type { AttestationManifest } from "./attestationManifest.js";
import { indexJson } from "./canonical.js";
import type { PackedImage } from "./packed.js";

/** Takes the files of a layout, one after the other. */
export interface LayoutSink {
  directory(name: string): Promise<void>;
  /** `content` is bytes, or the path of a file of `size` bytes. */
  file(name: string, content: Uint8Array | { readonly path: string; readonly size: number }): Promise<void>;
}

/** An image under all its names. */
export interface NamedImage {
  /** Full references; none is fine. */
  readonly names: readonly string[];
  /** The manifest, or the index over several platforms; in the content store. */
  readonly root: Descriptor;
  readonly platforms: readonly PackedImage[];
}

/**
 * Writes an OCI image layout: blobs in order of their digests, then index.json. For "docker" also the manifest.json that
 * `docker load` reads. Source: OCI image-spec image-layout.md; Docker image spec v1.2 "Combined Image JSON".
 */
export async function writeLayout(
  sink: LayoutSink,
  content: FileContentStore,
  images: readonly NamedImage[],
  format: "oci" | "docker",
): Promise<void> {
  await sink.directory("blobs/");
  await sink.directory("blobs/sha256/");
  for (const digest of blobsOf(images)) {
    const { size } = await content.info(digest);
    await sink.file(blobName(digest), { path: content.pathOf(digest), size });
  }
  await sink.file("index.json", layoutIndex(images));
  if (format === "docker") await sink.file("manifest.json", dockerManifest(images));
  await sink.file("oci-layout", Buffer.from(`{"imageLayoutVersion":"1.0.0"}`));
}

function blobsOf(images: readonly NamedImage[]): readonly Digest[] {
  const digests = images.flatMap(({ root, platforms }) => [
    root.digest,
    ...platforms.flatMap(({ manifest, config, layers }) => [manifest.descriptor, config, ...layers].map(({ digest }) => digest)),
    ...platforms.flatMap(({ attestations }) => (attestations === undefined ? [] : attestationDigests(attestations))),
  ]);
  return [...new Set(digests)].sort();
}

function attestationDigests({ manifest, config, layers }: AttestationManifest): readonly Digest[] {
  return [manifest, config, ...layers].map(({ descriptor }) => descriptor.digest);
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function layoutIndex(images: readonly NamedImage[]): Buffer {
  const manifests = images.flatMap(({ names, root, platforms }) => {
    const created = platforms[0]?.created;
    const dated = created === undefined ? {} : { "org.opencontainers.image.created": created };
    const annotated = (own: Record<string, string>) => ({ ...root, annotations: { ...dated, ...root.annotations, ...own } });
    return names.length === 0 ? [annotated({})] : names.map((name) => annotated(nameAnnotations(name)));
  });
  return indexJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

/** containerd and Docker read the first; the OCI layout knows the tag only. */
function nameAnnotations(name: string): Record<string, string> {
  const { tag } = parseReference(name);
  return { "io.containerd.image.name": name, ...(tag === null ? {} : { "org.opencontainers.image.ref.name": tag }) };
}

function dockerManifest(images: readonly NamedImage[]): Buffer {
  const entries = images.flatMap(({ names, platforms }) =>
    platforms.map(({ config, layers }) => ({
      Config: blobName(config.digest),
      RepoTags: names.map((name) => familiarReference(parseReference(name))),
      Layers: layers.map(({ digest }) => blobName(digest)),
    })),
  );
  return Buffer.from(JSON.stringify(entries));
}
