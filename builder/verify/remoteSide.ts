import type { Store } from "../../cache/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { type Platform, parsePlatform } from "../../cache/oci/platform.js";
import { formatReference, type Reference } from "../../cache/oci/reference.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { PROVENANCE } from "../attest/attestation.js";
import { attestationChain } from "../daemon/client/attestationChain.js";
import { rewrittenAnnotation } from "../image/layerAnnotations.js";
import { blobTar } from "../image/writeBlob.js";
import type { RegistryClient } from "../registry/client.js";
import { configLimit, parseImageConfig, parseManifest } from "../registry/manifest.js";
import { createRemoteImages, readBlob, type RemoteImage } from "../registry/resolve.js";
import type { ImageSide, OpenImage, SideLayer } from "./imageSide.js";
import { parseSaid, readProvenance, type ToldBuild } from "./provenanceDefaults.js";

/** What {@link remoteImage} works with: a registry, or what is read as if it were one. */
export interface RemoteDeps {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly opts: StepOpts;
}

/**
 * An image of a registry. Of its layers only those come here that are compared.
 * @throws {TbuildError} not_found, unauthorized, unavailable, digest_mismatch, corrupt, unsupported
 */
export async function remoteImage(deps: RemoteDeps, reference: Reference): Promise<OpenImage> {
  const { client, store, opts } = deps;
  const { bytes, descriptor } = await client.manifest(reference, opts);
  const pinned = { ...reference, digest: descriptor.digest };
  const images = createRemoteImages(client, store.content);
  return {
    platforms: await platformsOf(deps, pinned, bytes),
    open: async (platform) => sideOf(deps, platform, await images.resolve(pinned, platform, opts)),
  };
}

async function platformsOf({ client, store, opts }: RemoteDeps, reference: Reference, bytes: Uint8Array): Promise<readonly Platform[]> {
  const parsed = parseManifest(bytes, `the manifest of "${formatReference(reference)}"`);
  if (parsed.kind === "index") return parsed.index.manifests.flatMap(({ platform }) => (platform === undefined || platform.os === "unknown" ? [] : [platform]));
  const { config } = parsed.manifest;
  await client.fetchBlob(reference, config, store.content, opts);
  const { os, architecture, variant } = parseImageConfig(await readBlob(store.content, config.digest, configLimit), `config ${config.digest}`);
  return [parsePlatform([os, architecture, ...(variant ? [variant] : [])].join("/"))];
}

function sideOf(deps: RemoteDeps, platform: Platform, { reference, manifest, config }: RemoteImage): ImageSide {
  const rewritten = manifest.layers.flatMap(({ annotations }) => annotations?.[rewrittenAnnotation] ?? []).at(0);
  return {
    platform,
    config,
    configDigest: manifest.config.digest,
    layers: manifest.layers.map((blob, index) => remoteLayer(deps, reference, blob, config.rootfs.diff_ids[index]!)),
    rewritten: rewritten === undefined ? null : Number(rewritten),
    provenance: () => remoteProvenance(deps, reference, platform),
  };
}

function remoteLayer({ client, store, opts }: RemoteDeps, reference: Reference, blob: Descriptor, diffId: SideLayer["diffId"]): SideLayer {
  return {
    diffId,
    blob,
    async tar(sink, { signal }) {
      await client.fetchBlob(reference, blob, store.content, { ...opts, signal });
      return await blobTar(store, blob)(sink, { signal });
    },
  };
}

async function remoteProvenance(deps: RemoteDeps, reference: Reference, platform: Platform): Promise<ToldBuild | null> {
  const chain = await attestationChain(deps, reference, platform, [`${PROVENANCE}v1`, `${PROVENANCE}v0.2`], deps.opts);
  for (const { descriptor, data } of Object.values(chain?.blobs ?? {})) {
    const predicateType = descriptor.annotations["in-toto.io/predicate-type"];
    if (predicateType === undefined) continue;
    const told = readProvenance(predicateType, parseSaid(data)?.["predicate"]);
    if (told !== null) return told;
  }
  return null;
}
