import type { Opts } from "../../../cache/content/store.js";
import type { Descriptor } from "../../../cache/oci/descriptor.js";
import { type Platform, platformScore } from "../../../cache/oci/platform.js";
import type { Reference } from "../../../cache/oci/reference.js";
import type { Store } from "../../../cache/store.js";
import type { RegistryClient } from "../../registry/client.js";
import { manifestLimit, parseManifest } from "../../registry/manifest.js";
import { readBlob } from "../../registry/resolve.js";

/** A document or statement as clients get it. */
export interface ChainBlob {
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number; readonly annotations: Readonly<Record<string, string>> };
  readonly data: Uint8Array;
}

/** What leads from an image's index to what is said of one platform. */
export interface AttestationChain {
  readonly root: string;
  readonly imageManifest: string;
  /** "" when nothing is said of it. */
  readonly attestationManifest: string;
  readonly signatureManifests: readonly string[];
  readonly blobs: Readonly<Record<string, ChainBlob>>;
}

/** Largest statement that is handed out, in bytes: as BuildKit's limit of what policies read. */
const STATEMENT_LIMIT = 16 << 20;

/**
 * The index of a reference, the manifest of what is said of its image for a platform, and statements of the types in `wanted`.
 * Null for an image without an index. Signatures are not looked for. Source: BuildKit, source/containerimage/source.go.
 * @throws {TbuildError} not_found, unauthorized, unavailable, corrupt
 */
export async function attestationChain(
  { client, store }: { readonly client: RegistryClient; readonly store: Store },
  reference: Reference,
  platform: Platform,
  wanted: readonly string[],
  opts: Opts,
): Promise<AttestationChain | null> {
  const root = await client.manifest(reference, opts);
  const parsed = parseManifest(root.bytes, "the index");
  if (parsed.kind !== "index") return null;
  const image = bestEntry(parsed.index.manifests, platform);
  const said = parsed.index.manifests.find(({ annotations }) => image !== null && annotations?.["vnd.docker.reference.digest"] === image.digest);
  const blobs: Record<string, ChainBlob> = { [root.descriptor.digest]: blobOf(root.descriptor, root.bytes) };
  if (said !== undefined) {
    const { bytes } = await client.manifest({ ...reference, tag: null, digest: said.digest }, opts);
    blobs[said.digest] = blobOf(said, bytes);
    for (const layer of statementsIn(bytes).filter(({ annotations }) => wanted.includes(annotations?.["in-toto.io/predicate-type"] ?? ""))) {
      await client.fetchBlob(reference, layer, store.content, opts);
      blobs[layer.digest] = blobOf(layer, await readBlob(store.content, layer.digest, STATEMENT_LIMIT));
    }
  }
  return { root: root.descriptor.digest, imageManifest: image?.digest ?? "", attestationManifest: said?.digest ?? "", signatureManifests: [], blobs };
}

function statementsIn(bytes: Uint8Array): readonly Descriptor[] {
  const parsed = parseManifest(bytes.subarray(0, manifestLimit), "the attestation manifest");
  return parsed.kind === "manifest" ? parsed.manifest.layers : [];
}

function bestEntry(entries: readonly Descriptor[], wanted: Platform): Descriptor | null {
  const scored = entries.map((entry) => ({ entry, score: entry.platform === undefined ? 0 : platformScore(wanted, entry.platform) }));
  return scored.reduce((a, b) => (b.score > a.score ? b : a), { entry: null as Descriptor | null, score: 0 }).entry;
}

function blobOf({ mediaType, digest, annotations = {} }: Descriptor, data: Uint8Array): ChainBlob {
  return { descriptor: { mediaType, digest, size: data.length, annotations }, data };
}
