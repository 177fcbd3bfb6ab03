import { rmSync } from "node:fs";
import { blobsOfBuild } from "./buildRecords.js";
import type { FileContentStore } from "./content/store.js";
import type { MetaDb, MetaTx } from "./meta/db.js";
import type { ImageManifestRecord } from "./meta/records.js";
import { parseDigest } from "./oci/digest.js";

/** Where blobs are, and who names them. */
export interface BlobStore {
  readonly root: string;
  readonly meta: MetaDb;
  readonly content: Pick<FileContentStore, "pathOf">;
}

/** Deletes those of `digests` that no record names by now, and returns them. At once: for one who has looked at all pins. */
export function deleteBlobs({ meta, content }: BlobStore, digests: readonly string[]): readonly string[] {
  if (digests.length === 0) return [];
  const named = new Set<string>(manifestsOf(meta.images).flatMap(({ config, attestations = [] }) => [config, ...attestations.map(({ predicate }) => predicate)]));
  for (const [, { blobs }] of meta.layers.entries()) for (const { digest } of blobs) named.add(digest);
  for (const [, build] of meta.builds.entries()) for (const { digest } of blobsOfBuild(build)) named.add(digest);
  const free = digests.filter((digest) => !named.has(digest));
  for (const digest of free) rmSync(content.pathOf(parseDigest(digest)), { force: true });
  return free;
}

/** All manifests of images that have a name. */
export function manifestsOf(images: Pick<MetaTx["images"], "entries">): readonly ImageManifestRecord[] {
  return [...images.entries()].flatMap(([, { manifests }]) => manifests);
}
