import { writeEstargz } from "../../cache/diff/estargz/writeEstargz.js";
import { mediaTypes } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { layerTar, type BlobOptions } from "./blobs.js";
import { tocDigestAnnotation, uncompressedSizeAnnotation } from "./layerAnnotations.js";
import type { SnapshotLayer } from "./layers.js";
import { intoContent, withTarFile } from "./writeBlob.js";

/**
 * `compression=estargz`: the layers that the build made as eStargz, and with `force` those of the base as well. Layers base
 * first. @throws {TbuildError} unsupported for what eStargz cannot hold, and as layerBlobs
 */
export async function estargzLayers(
  store: Store,
  layers: readonly SnapshotLayer[],
  baseDiffIds: readonly Digest[],
  options: BlobOptions,
): Promise<readonly SnapshotLayer[]> {
  const base = new Set(options.force === true ? [] : baseDiffIds);
  const isKept = (layer: SnapshotLayer) => layer.empty || base.has(layer.diffId) || isEstargz(layer);
  const settled = await Promise.allSettled(layers.map(async (layer) => (isKept(layer) ? layer : await estargzLayer(store, layer, options))));
  // All have ended, so that nobody writes any more when the first failure is told.
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

function isEstargz({ blobs }: SnapshotLayer): boolean {
  return blobs.some(({ annotations }) => annotations?.[tocDigestAnnotation] !== undefined);
}

/**
 * The layer's files as eStargz. The table of contents is part of what the blob decompresses to, so this is another layer, with
 * a diff ID of its own, which the snapshot's record does not know of.
 */
async function estargzLayer(store: Store, layer: SnapshotLayer, options: BlobOptions): Promise<SnapshotLayer> {
  const { level, signal } = options;
  const source = await layerTar(store, layer, options);
  return await withTarFile(store, source, { signal }, async (path) => {
    const index = await store.bulk.run("indexTar", { tar: path }, { signal });
    const { result, digest, size } = await intoContent(store, (sink) => writeEstargz(path, index, sink, { level, signal }));
    const annotations = { [tocDigestAnnotation]: result.tocDigest, [uncompressedSizeAnnotation]: String(result.size) };
    const blob = { mediaType: mediaTypes.ociLayerGzip, digest, size, annotations };
    return { ...layer, diffId: result.diffId, size: result.size, blobs: [blob] };
  });
}
