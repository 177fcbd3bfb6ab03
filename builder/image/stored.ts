import type { Opts } from "../../cache/content/store.js";
import { isDangling } from "../../cache/images.js";
import type { AttestationRecord, ImageManifestRecord, ImageRecord } from "../../cache/meta/records.js";
import { mediaTypes, type Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { Attestation } from "../attest/attestation.js";
import { attachAll } from "../exporter/attach.js";
import { configLimit, parseImageConfig } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import { assembleIndex, assembleManifest } from "./assemble.js";
import { type BlobOptions, presentBlob } from "./blobs.js";
import { snapshotLayer } from "./layers.js";
import { type ImageParts, packImage, rootOf, type PackedImage } from "./packed.js";

/** Largest statement, in bytes. */
const STATEMENT_LIMIT = 64 << 20;

/** An image of the store with all its blobs in the content store, but for those that were asked to be left where they are. */
export interface StoredImage {
  /** The manifest, or the index over several platforms. */
  readonly root: Descriptor;
  readonly platforms: readonly PackedImage[];
  /** What the platforms were packed from, in their order. */
  readonly parts: readonly ImageParts[];
}

/** An image of the store, and what its statements call it. */
export type StoredRecord = Pick<ImageRecord, "manifests" | "name">;

function storedAttestation({ content }: Store, { predicate, ...rest }: AttestationRecord): Attestation {
  return { ...rest, content: () => readBlob(content, predicate, STATEMENT_LIMIT) };
}

/** Packs what of an image was never packed. Its configs are kept byte for byte. @throws {TbuildError} not_found */
export async function packStored(store: Store, record: StoredRecord, options: BlobOptions): Promise<StoredImage> {
  const { manifests } = record;
  const parts = await Promise.all(manifests.map((manifest) => recordParts(store, manifest, options)));
  const packed = await Promise.all(parts.map((part) => packImage(store, part, options)));
  const kind = packed.length > 1 ? "index" : "manifest";
  const said = manifests.map(({ attestations = [] }) => ({ attestations: attestations.map((one) => storedAttestation(store, one)) }));
  const place = { store, names: isDangling(record) ? [] : [record.name], form: "artifact", inline: false, signal: options.signal } as const;
  const platforms = await attachAll(packed, parts, { platforms: said, root: kind }, place);
  const root = await rootOf(store, platforms, kind, options);
  return { root, platforms, parts };
}

/** Its config is kept byte for byte. */
async function recordParts(store: Store, { platform, config, layers }: ImageManifestRecord, options: Opts): Promise<ImageParts> {
  const bytes = await readBlob(store.content, config, configLimit);
  const { created } = parseImageConfig(bytes, `config ${config}`);
  const document = { bytes, descriptor: { mediaType: mediaTypes.ociConfig, digest: config, size: bytes.length } };
  const found = await Promise.all(layers.map(({ snapshot }) => snapshotLayer(store, snapshot, options)));
  return { platform, config: document, layers: found, created };
}

/** Digest of what {@link packStored} gives as the root, or null while a layer would have to be packed for it. */
export async function knownDigest(store: Store, record: StoredRecord): Promise<Digest | null> {
  const { manifests } = record;
  const entries = await Promise.all(
    manifests.map(async ({ platform, config, layers }) => {
      const blobs = await Promise.all(layers.map(({ snapshot }) => presentBlob(store, store.meta.layers.get(snapshot)?.blobs ?? [])));
      const present = blobs.filter((blob) => blob !== null);
      const { size } = await store.content.info(config);
      const descriptor = { mediaType: mediaTypes.ociConfig, digest: config, size };
      return present.length < layers.length ? null : { platform, descriptor: assembleManifest(descriptor, present).descriptor };
    }),
  );
  const known = entries.filter((entry) => entry !== null);
  if (known.length < entries.length) return null;
  if (manifests.some(({ attestations = [] }) => attestations.length > 0)) return (await packStored(store, record, { missing: "leave" })).root.digest;
  return (known.length === 1 ? known[0]! : assembleIndex(known)).descriptor.digest;
}
