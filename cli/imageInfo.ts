import { readBlob } from "../builder/registry/resolve.js";
import { isDangling } from "../cache/images.js";
import type { ImageRecord } from "../cache/meta/records.js";
import type { ImageConfig } from "../cache/oci/descriptor.js";
import type { Digest } from "../cache/oci/digest.js";
import { familiarReference, parseReference } from "../cache/oci/reference.js";
import type { Store } from "../cache/store.js";

const MAX_CONFIG = 8 * 1024 * 1024;

/** Bytes of all uncompressed layers of an image; of those that several platforms have, once. */
export function imageSize({ meta }: Pick<Store, "meta">, { manifests }: Pick<ImageRecord, "manifests">): number {
  const snapshots = new Set(manifests.flatMap(({ layers }) => layers.map(({ snapshot }) => snapshot)));
  return [...snapshots].reduce((sum, snapshot) => sum + (meta.layers.get(snapshot)?.size ?? 0), 0);
}

/** The name as people write it, or null for an image without a name. */
export function imageName(record: ImageRecord): string | null {
  return isDangling(record) ? null : familiarReference(parseReference(record.name));
}

/** The config that is an image's ID. @throws {TbuildError} not_found, corrupt */
export async function readImageConfig({ content }: Pick<Store, "content">, id: Digest): Promise<ImageConfig> {
  const bytes = await readBlob(content, id, MAX_CONFIG);
  return JSON.parse(bytes.toString("utf8")) as ImageConfig;
}
