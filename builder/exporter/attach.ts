import { TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import { digestSet } from "../attest/attestation.js";
import { imagePurl } from "../attest/purl.js";
import { statementOf } from "../attest/statement.js";
import { supplemented } from "../attest/supplement.js";
import { type AttestationForm, attestationManifest } from "../image/attestationManifest.js";
import type { ImageParts, PackedImage } from "../image/packed.js";
import { putBlob } from "../registry/resolve.js";
import type { Attrs } from "./attrs.js";
import type { BuildOutput, OutputShape, PlatformOutput } from "./exporter.js";

/** How attestations go into an image. */
export interface AttachOptions {
  readonly form: AttestationForm;
  /** Those that only images have make an index of an image of one platform, too. */
  readonly inline: boolean;
}

/** Attributes `oci-artifact` and `attestation-inline`. @throws {TbuildError} invalid_argument */
export function readAttachOptions(attrs: Attrs, flavour: "oci" | "docker"): AttachOptions {
  const isArtifact = attrs.bool("oci-artifact", flavour === "oci");
  if (isArtifact && flavour === "docker") throw attrs.invalid("oci-artifact", "false with oci-mediatypes=false");
  return { form: isArtifact ? "artifact" : "image", inline: attrs.bool("attestation-inline", false) };
}

/** The shape of the image that comes of a result: one with attestations has an index. */
export function imageShape(shape: OutputShape): OutputShape {
  return shape.attested === true ? { ...shape, root: "index" } : shape;
}

/** Attestations are for indexes of OCI's. @throws {TbuildError} invalid_argument */
export function checkAttestable({ attested = false }: OutputShape, flavour: "oci" | "docker"): void {
  if (!attested || flavour === "oci") return;
  throw new TbuildError("invalid_argument", 'cannot export attestations with "oci-mediatypes=false"', { hint: "Leave oci-mediatypes at true" });
}

/** What {@link attachAll} works with. */
export interface AttachPlace extends AttachOptions, Opts {
  readonly store: Store;
  /** Full references that the image gets. */
  readonly names: readonly string[];
}

/** What of a build's result {@link attachAll} needs. */
export interface AttestedOutput extends Pick<BuildOutput, "root"> {
  readonly platforms: readonly Pick<PlatformOutput, "attestations">[];
}

/**
 * Packed images with the manifests of what is said of them, which are in the content store then. What only images with an index
 * are to have makes none. `images`, `parts` and the result's platforms are parallel. @throws {TbuildError} corrupt, invalid_argument
 */
export async function attachAll(images: readonly PackedImage[], parts: readonly ImageParts[], output: AttestedOutput, place: AttachPlace): Promise<readonly PackedImage[]> {
  const all = output.platforms.flatMap(({ attestations = [] }) => attestations);
  const isWanted = output.root === "index" || place.inline || all.some(({ inlineOnly }) => !inlineOnly);
  return isWanted ? await Promise.all(images.map((image, at) => attached(image, parts[at]!, output.platforms[at]!, place))) : images;
}

async function attached(image: PackedImage, parts: ImageParts, { attestations = [] }: Pick<PlatformOutput, "attestations">, place: AttachPlace): Promise<PackedImage> {
  if (attestations.length === 0) return image;
  const { store, names, form, signal } = place;
  const { descriptor } = image.manifest;
  const self = names.map((name) => ({ name: imagePurl("docker", name, image.platform), digest: digestSet(descriptor.digest) }));
  const statements: object[] = [];
  for (const attestation of attestations) {
    const content = await supplemented(store, attestation, await attestation.content({ signal }), parts.layers, image.layers);
    statements.push(statementOf(attestation, content, self));
  }
  const made = attestationManifest(descriptor, statements, form);
  for (const { bytes, descriptor: { digest } } of [...made.layers, made.config, made.manifest]) await putBlob(store.content, bytes, digest, { signal });
  return { ...image, attestations: made };
}
