import { TbuildError } from "../../cache/errors.js";
import type { AttestationRecord, ImageManifestRecord, ImageRecord } from "../../cache/meta/records.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { layerTar } from "../image/blobs.js";
import { rewrittenAnnotation } from "../image/layerAnnotations.js";
import { type SnapshotLayer, snapshotLayer } from "../image/layers.js";
import { configLimit, parseImageConfig } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import type { RemoteAccess } from "../remote.js";
import { bestManifest } from "../source/imageStore.js";
import type { ImageSide, OpenImage, SideLayer } from "./imageSide.js";
import { parseSaid, readProvenance, type ToldBuild } from "./provenanceDefaults.js";

/** Largest predicate that is read, in bytes. */
const PREDICATE_LIMIT = 64 << 20;

/** What {@link storedImage} works with. */
export interface StoredDeps {
  readonly store: Store;
  readonly access: Pick<RemoteAccess, "refetch">;
  readonly opts: StepOpts;
}

/** An image of the image store. */
export function storedImage(deps: StoredDeps, record: ImageRecord): OpenImage {
  return {
    platforms: record.manifests.map(({ platform }) => platform),
    async open(platform) {
      const manifest = bestManifest(record.manifests, platform);
      if (manifest !== null) return await storedSide(deps, manifest);
      const have = record.manifests.map((one) => formatPlatform(one.platform)).join(", ");
      throw new TbuildError("not_found", `Cannot verify "${record.name}" for ${formatPlatform(platform)}: no such platform`, { hint: `It has ${have}` });
    },
  };
}

async function storedSide(deps: StoredDeps, { platform, config, layers, attestations = [] }: ImageManifestRecord): Promise<ImageSide> {
  const { store, opts } = deps;
  const parsed = parseImageConfig(await readBlob(store.content, config, configLimit), `config ${config}`);
  const found = await Promise.all(layers.map(({ snapshot }) => snapshotLayer(store, snapshot, opts)));
  const rewritten = found.flatMap(({ blobs }) => blobs.flatMap(({ annotations }) => annotations?.[rewrittenAnnotation] ?? [])).at(0);
  return {
    platform,
    config: parsed,
    configDigest: config,
    layers: found.map((layer) => sideLayer(deps, layer)),
    rewritten: rewritten === undefined ? null : Number(rewritten),
    provenance: () => storedProvenance(store, attestations),
  };
}

/** A snapshot as a layer to compare. */
export function sideLayer({ store, access }: Pick<StoredDeps, "store" | "access">, layer: SnapshotLayer): SideLayer {
  const refetch = (signal: AbortSignal | undefined) => (blob: Parameters<RemoteAccess["refetch"]>[0]) => access.refetch(blob, { signal });
  return {
    diffId: layer.diffId,
    // The image store holds it unpacked, however it may have come.
    blob: null,
    tar: async (sink, { signal }) => (await layerTar(store, layer, { signal, refetch: refetch(signal) }))(sink, { signal }),
  };
}

async function storedProvenance({ content }: Store, attestations: readonly AttestationRecord[]): Promise<ToldBuild | null> {
  for (const { predicateType, predicate } of attestations) {
    const told = readProvenance(predicateType, parseSaid(await readBlob(content, predicate, PREDICATE_LIMIT)));
    if (told !== null) return told;
  }
  return null;
}
