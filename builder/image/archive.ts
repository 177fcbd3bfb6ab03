import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Writable } from "node:stream";
import { TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { ImageManifestRecord, ImageRecord } from "../../cache/meta/records.js";
import type { Descriptor, ImageConfig } from "../../cache/oci/descriptor.js";
import { hostPlatform, type Platform } from "../../cache/oci/platform.js";
import { isDangling, isNamed } from "../../cache/images.js";
import type { Store } from "../../cache/store.js";
import { putBlob } from "../registry/resolve.js";
import { findImages, type ArchiveImage } from "./archiveImages.js";
import { readArchive } from "./archiveRead.js";
import { assembleConfig } from "./assemble.js";
import { applyChanges } from "./changes.js";
import { writeDestination, writeTar } from "./destination.js";
import { snapshotLayer } from "./layers.js";
import { writeLayout, type NamedImage } from "./layout.js";
import { packStored } from "./stored.js";
import { chainIds, unpackLayers, unpackRootfs } from "./unpack.js";
import type { ReportOptions } from "./applyBlob.js";

/**
 * Brings the images of a `docker save` or OCI archive (plain or gzip) into the image store, verified and unpacked. Returns their
 * names in the archive's order, dangling ones for images without a name.
 * @throws {TbuildError} not_found, corrupt, digest_mismatch, path_escape, unsupported
 */
export async function loadArchive(store: Store, file: string, options: ReportOptions = {}): Promise<readonly ImageRecord[]> {
  const images = await findImages(store.content, await readArchive(store.content, file, options));
  const records: ImageRecord[] = [];
  for (const image of images) records.push(...(await loadImage(store, image, options)));
  return records;
}

async function loadImage(store: Store, image: ArchiveImage, options: ReportOptions): Promise<readonly ImageRecord[]> {
  const { names } = image;
  const manifests = await unpackImage(store, image, options);
  if (names.length === 0) return [await store.images.putDangling(manifests)];
  return await Promise.all(names.map((name) => store.images.put(name, manifests)));
}

/** Unpacks an image whose blobs are in the content store; what has no name yet. @throws {TbuildError} corrupt, digest_mismatch */
export async function unpackImage(store: Store, { platforms }: Pick<ArchiveImage, "platforms">, options: ReportOptions): Promise<readonly ImageManifestRecord[]> {
  const manifests: ImageManifestRecord[] = [];
  for (const { platform, config, layers } of platforms) {
    await unpackLayers(store, layers, { ...options, fetch: async () => {} });
    const diffIds = layers.map(({ diffId }) => diffId);
    const chain = chainIds(diffIds);
    manifests.push(
      { platform, config: config.digest, layers: diffIds.map((diffId, index) => ({ diffId, snapshot: chain[index]! })) },
    );
  }
  if (manifests.length === 0) throw new TbuildError("corrupt", "Cannot load image archive: it has an image without platforms");
  return manifests;
}

/** Options of {@link importRootfs}. */
export interface ImportOptions extends ReportOptions {
  /** Name of the image; null makes a dangling one. */
  readonly ref: string | null;
  /** Dockerfile instructions that change the config only: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  readonly platform?: Platform;
  /** RFC 3339, for `created`; left out when absent, so that equal tars give equal images. */
  readonly created?: string;
  /** For the history. */
  readonly message?: string;
}

/**
 * Makes an image of one layer from the tar of a root file system, compressed or not.
 * @throws {TbuildError} not_found, corrupt, path_escape, parse_failed for a change that is no such instruction
 */
export async function importRootfs(store: Store, file: string, options: ImportOptions): Promise<ImageRecord> {
  const { ref, changes = [], platform = hostPlatform(), created, message = "" } = options;
  const config = await applyChanges(changes, platform);
  const blob = await ingestFile(store, file, options);
  const layer = await snapshotLayer(store, await unpackRootfs(store, blob, options), options);
  const dated = created === undefined ? {} : { created };
  const history = [{ ...dated, comment: message === "" ? "imported" : message }];
  const image: ImageConfig = { ...dated, ...platform, config, history, rootfs: { type: "layers", diff_ids: [] } };
  const { bytes, descriptor } = assembleConfig(image, [layer]);
  await putBlob(store.content, bytes, descriptor.digest, options);
  const layers = layer.empty ? [] : [{ snapshot: layer.snapshot, diffId: layer.diffId }];
  const manifest = { platform, config: descriptor.digest, layers };
  return ref === null ? await store.images.putDangling([manifest]) : await store.images.put(ref, [manifest]);
}

async function ingestFile(store: Store, file: string, opts: Opts): Promise<Descriptor> {
  await using ingest = await store.content.ingest(`import-${randomUUID()}`, opts);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) await ingest.write(chunk as Buffer);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const reason = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "it is a directory" : code;
    throw new TbuildError("not_found", `Cannot read "${file}": ${reason}`, { cause: error });
  }
  return await ingest.commit();
}

/** Options of {@link saveImages}. */
export interface SaveOptions extends Opts {
  /** For dest "-"; default this process's standard output. */
  readonly stdout?: Writable;
  /** Brings back a base layer's blob that was pruned. */
  readonly refetch?: (blob: Descriptor) => Promise<void>;
}

/**
 * Writes images (names or IDs) of the image store as one archive. Their configs are kept byte for byte, so that they have
 * the same IDs wherever they are loaded; one that an ID stands for has no name there. @throws {TbuildError} not_found, unsupported
 */
export async function saveImages(
  store: Store,
  names: readonly string[],
  dest: string,
  format: "oci" | "docker",
  options: SaveOptions = {},
): Promise<void> {
  const records = names.map((name) => ({ record: store.images.resolve(name), name }));
  const images = merged(await Promise.all(records.map(({ record, name }) => namedImage(store, record, name, format, options))));
  await writeDestination(dest, options.stdout ?? process.stdout, (stream) =>
    writeTar(stream, (sink) => writeLayout(sink, store.content, images, format), options),
  );
}

async function namedImage(
  store: Store,
  record: ImageRecord,
  name: string,
  format: "oci" | "docker",
  options: SaveOptions,
): Promise<NamedImage> {
  if (format === "docker" && record.manifests.length > 1) {
    throw new TbuildError(
      "unsupported",
      `Cannot save "${record.name}" as a docker archive: it has several platforms`,
      { hint: "Use the OCI format" },
    );
  }
  const { root, platforms } = await packStored(store, record, options);
  return { names: isDangling(record) || !isNamed(record, name) ? [] : [record.name], root, platforms };
}

/** An image that was asked for under several names is one entry with all of them. */
function merged(images: readonly NamedImage[]): readonly NamedImage[] {
  const byRoot = new Map<string, NamedImage>();
  for (const image of images) {
    const names = [...(byRoot.get(image.root.digest)?.names ?? []), ...image.names];
    byRoot.set(image.root.digest, { ...image, names: [...new Set(names)] });
  }
  return [...byRoot.values()];
}
