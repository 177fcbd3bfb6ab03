import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import { putBlob } from "../registry/resolve.js";
import { type Annotation, annotationsOf } from "./annotations.js";
import { assembleIndex, assembleManifest, type Document, type Flavour } from "./assemble.js";
import { type AttestationManifest, nowhere } from "./attestationManifest.js";
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
  /** What is said of it; an image that has some is in an index. */
  readonly attestations?: AttestationManifest;
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
  /** "estargz" makes other layers of those that the build made: see estargzLayers. Default "plain". */
  readonly layout?: "plain" | "estargz";
  readonly flavour?: Flavour;
  readonly annotations?: readonly Annotation[];
  /** Layers of a base that are to be had at URLs of their own: "keep" leaves them there; default "convert" to ordinary ones. */
  readonly foreign?: "keep" | "convert";
}

/** What the name of an image stands for; several platforms always have an index. */
export type RootKind = "manifest" | "index";

/** Makes the layers' blobs, and writes config and manifest to the content store. */
export async function packImage(
  store: Store,
  { platform, config, layers, created }: ImageParts,
  options: PackOptions,
): Promise<PackedImage> {
  const { flavour, annotations = [], foreign = "convert" } = options;
  const found = await layerBlobs(store, layers, options);
  const blobs = foreign === "keep" ? found : found.map(withoutUrls);
  const manifest = assembleManifest(config.descriptor, blobs, { flavour, annotations: annotationsOf(annotations, "manifest", platform) });
  for (const { bytes, descriptor } of [config, manifest]) await putBlob(store.content, bytes, descriptor.digest, options);
  const descriptor = annotated(manifest.descriptor, annotationsOf(annotations, "manifest-descriptor", platform));
  return { platform, config: config.descriptor, manifest: { ...manifest, descriptor }, layers: blobs, created };
}

/**
 * What a name of the image stands for: the manifest of the only platform, or an index over all of them, in the order given, and
 * then what is said of them.
 */
export async function rootOf(store: Store, images: readonly PackedImage[], kind: RootKind, options: PackOptions): Promise<Descriptor> {
  const [first] = images;
  if (kind === "manifest" && first !== undefined && images.length === 1 && first.attestations === undefined) return first.manifest.descriptor;
  const { flavour, annotations = [] } = options;
  const entries = images.map(({ manifest, platform }) => ({ descriptor: manifest.descriptor, platform }));
  const said = images.flatMap(({ attestations }) => (attestations === undefined ? [] : [{ descriptor: attestations.manifest.descriptor, platform: nowhere }]));
  const index = assembleIndex([...entries, ...said], { flavour, annotations: annotationsOf(annotations, "index", null) });
  await putBlob(store.content, index.bytes, index.descriptor.digest, options);
  return annotated(index.descriptor, annotationsOf(annotations, "index-descriptor", null));
}

function withoutUrls({ urls: _urls, ...blob }: Descriptor): Descriptor {
  return blob;
}

function annotated(descriptor: Descriptor, annotations: Descriptor["annotations"]): Descriptor {
  return annotations === undefined ? descriptor : { ...descriptor, annotations };
}
