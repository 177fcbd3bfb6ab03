import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Document } from "./assemble.js";
import { descriptor } from "./canonical.js";

/** How attestations stand beside an image: a manifest of OCI's artifact kind, or one that looks like an image's. */
export type AttestationForm = "artifact" | "image";

/** A manifest of attestations with what it names. */
export interface AttestationManifest {
  /** Its descriptor says of which manifest it tells. */
  readonly manifest: Document;
  readonly config: Document;
  /** One statement each. */
  readonly layers: readonly Document[];
}

const IN_TOTO = "application/vnd.in-toto+json";
const ARTIFACT = "application/vnd.docker.attestation.manifest.v1+json";
const EMPTY = "application/vnd.oci.empty.v1+json";

/**
 * The manifest that an index has beside an image's `target`, for statements about that. Pure, and the same bytes for equal input.
 * Source: BuildKit, docs/attestations/attestation-storage.md and exporter/containerimage/writer.go.
 */
export function attestationManifest(target: Descriptor, statements: readonly object[], form: AttestationForm): AttestationManifest {
  const layers = statements.map((statement) => {
    const type = (statement as { readonly predicateType?: string }).predicateType ?? "";
    return documentOf(Buffer.from(JSON.stringify(statement)), IN_TOTO, { "in-toto.io/predicate-type": type });
  });
  const config = form === "artifact" ? documentOf(Buffer.from("{}"), EMPTY) : documentOf(configBytes(layers), mediaTypes.ociConfig);
  const named = descriptor(config.descriptor);
  const value = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    ...(form === "artifact" ? { artifactType: ARTIFACT } : {}),
    config: form === "artifact" ? { ...named, data: config.bytes.toString("base64") } : named,
    layers: layers.map((layer) => descriptor(layer.descriptor)),
    ...(form === "artifact" ? { subject: plain(target) } : {}),
  };
  const annotations = { "vnd.docker.reference.digest": target.digest, "vnd.docker.reference.type": "attestation-manifest" };
  return { manifest: documentOf(Buffer.from(JSON.stringify(value, null, 2)), mediaTypes.ociManifest, annotations), config, layers };
}

/** The platform that an index says for attestations, which run nowhere. */
export const nowhere = { os: "unknown", architecture: "unknown" } as const;

function configBytes(layers: readonly Document[]): Buffer {
  const rootfs = { type: "layers", diff_ids: layers.map((layer) => layer.descriptor.digest) };
  return Buffer.from(JSON.stringify({ ...nowhere, config: {}, rootfs }));
}

function documentOf(bytes: Buffer, mediaType: string, annotations?: Readonly<Record<string, string>>): Document {
  const pointer = { mediaType, digest: digestOf(bytes), size: bytes.length };
  return { bytes, descriptor: annotations === undefined ? pointer : { ...pointer, annotations } };
}

function plain({ mediaType, digest, size }: Descriptor): object {
  return { mediaType, digest, size };
}
