import type { AttestationRecord, ImageManifestRecord } from "../../cache/meta/records.js";
import { type ImageConfig, inlineKey } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { Attestation } from "../attest/attestation.js";
import { assembleConfig, type Document, type Flavour } from "../image/assemble.js";
import { layersOf, type SnapshotLayer } from "../image/layers.js";
import type { ImageParts } from "../image/packed.js";
import { putBlob } from "../registry/resolve.js";
import type { ExportOpts, PlatformOutput } from "./exporter.js";

/** What becomes of an image's layers, base first and empty ones included, before its config names them. */
export type LayerChange = (layers: readonly SnapshotLayer[]) => Promise<readonly SnapshotLayer[]>;

/**
 * Config and layers of one platform's result: what all kinds of images have in common. Compressed only where the export
 * needs it.
 */
export async function imageParts(
  store: Store,
  output: PlatformOutput,
  flavour: Flavour,
  opts: ExportOpts,
  change: LayerChange = async (layers) => Promise.resolve(layers),
): Promise<ImageParts> {
  opts.report.status("exporting layers", 0, 0);
  const layers = await change(await layersOf(store, output.ref.name, opts.layers.prepare));
  opts.report.statusDone("exporting layers");
  const config: Document = assembleConfig(withInlineCache(output, layers), layers, flavour);
  return { platform: output.platform, config, layers: layers.filter(({ empty }) => !empty), created: output.image.created };
}

/** A base image's own cache is not this image's. */
function withInlineCache({ image, inline }: PlatformOutput, layers: readonly SnapshotLayer[]): ImageConfig {
  const { [inlineKey]: _base, ...config } = image;
  const own = inline?.(layers, image.created ?? new Date(0).toISOString());
  return own === undefined ? config : { ...config, [inlineKey]: own };
}

/** The image store's record of a platform, whose layers are those of its snapshots. Its config is in the content store then. */
export async function storedRecord(
  store: Store,
  { platform, config, layers }: ImageParts,
  { attestations = [] }: Pick<PlatformOutput, "attestations">,
  opts: ExportOpts,
): Promise<ImageManifestRecord> {
  await putBlob(store.content, config.bytes, config.descriptor.digest, opts);
  const named = layers.map(({ snapshot, diffId }: SnapshotLayer) => ({ snapshot, diffId }));
  const said = await Promise.all(attestations.map((attestation) => keptAttestation(store, attestation, opts)));
  return { platform, config: config.descriptor.digest, layers: named, ...(said.length === 0 ? {} : { attestations: said }) };
}

async function keptAttestation(store: Store, { content, ...rest }: Attestation, { signal }: ExportOpts): Promise<AttestationRecord> {
  const bytes = await content({ signal });
  const predicate = digestOf(bytes);
  await putBlob(store.content, bytes, predicate, { signal });
  return { ...rest, predicate };
}

/** Value of containerimage.descriptor. */
export function encodeDescriptor(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}
