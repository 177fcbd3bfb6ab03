import { MAX_PACK } from "../../cache/mountPack/packedTree.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { isDigest } from "../../cache/oci/digest.js";
import { listOf, malformed, objectOf, timeOf } from "./configFields.js";

/** What a cache has of a cache mount. Plain data. */
export interface SharedMount {
  /** See cacheMountKey: equal keys are one mount. */
  readonly key: string;
  /** As people know it. */
  readonly id: string;
  /** Of its files. */
  readonly bytes: number;
  /** RFC 3339: when it was last exported, give or take a day. */
  readonly createdAt: string;
  /** Its files without their bytes. */
  readonly tree: Descriptor;
  /** Where the bytes are, in the order that the tree counts them. */
  readonly packs: readonly Descriptor[];
}

/** Media type of a mount's files without their bytes; see mountPack/packedTree.ts. */
export const treeType = "application/vnd.tbuild.cachemount.tree.v1+json+gzip";
/** Media type of a pack: chunks of files, one after the other. */
export const packType = "application/vnd.tbuild.cachemount.pack.v1+gzip";

/** All blobs of mounts; one may be there several times. */
export function mountBlobs(mounts: readonly SharedMount[]): readonly Descriptor[] {
  return mounts.flatMap(({ tree, packs }) => [tree, ...packs]);
}

/** Mounts as a cache's config has them. */
export function mountsJson(mounts: readonly SharedMount[]): readonly object[] {
  const plain = ({ digest, size }: Descriptor) => ({ digest, size });
  return mounts.map(({ tree, packs, ...mount }) => ({ ...mount, tree: plain(tree), packs: packs.map(plain) }));
}

/** The largest tree that is read, in bytes. */
const MAX_TREE = 64 << 20;

/** Mounts from a cache's config. @throws {TbuildError} corrupt */
export function parseMounts(value: unknown, name: string): readonly SharedMount[] {
  return listOf(value, name).map((one) => {
    const { key, id, bytes, createdAt, tree, packs } = objectOf(one, name);
    if (typeof key !== "string" || !/^[0-9a-f]{64}$/.test(key) || typeof id !== "string") throw malformed(name, "a cache mount without a name");
    if (!Number.isSafeInteger(bytes) || (bytes as number) < 0) throw malformed(name, "a cache mount without a size");
    return {
      key,
      id,
      bytes: bytes as number,
      createdAt: timeOf(createdAt),
      tree: blobOf(tree, treeType, MAX_TREE, name),
      packs: listOf(packs, name).map((pack) => blobOf(pack, packType, 2 * MAX_PACK, name)),
    };
  });
}

function blobOf(value: unknown, mediaType: string, limit: number, name: string): Descriptor {
  const { digest, size } = objectOf(value, name);
  const isSize = Number.isSafeInteger(size) && (size as number) >= 0 && (size as number) <= limit;
  if (typeof digest !== "string" || !isDigest(digest) || !isSize) throw malformed(name, "a cache mount whose content is nowhere");
  return { mediaType, digest, size: size as number };
}
