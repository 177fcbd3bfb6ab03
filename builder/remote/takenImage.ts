import type { Descriptor, ImageConfig } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { ExportSpec } from "../exporter/exporter.js";
import { nameImages } from "../exporter/imageNames.js";
import { unpackImage } from "../image/archive.js";
import { storedPlatforms } from "../image/archiveImages.js";
import { type LayoutSink, writeLayout } from "../image/layout.js";
import type { PackedImage } from "../image/packed.js";
import { configLimit, manifestLimit, parseManifest } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import type { BuildResult } from "../request.js";
import type { TakenBlobs } from "./takenBlobs.js";

/**
 * Brings an image whose blobs a builder has sent into the image store, and tells of it as a build of this process does.
 * @throws {TbuildError} corrupt, digest_mismatch
 */
export async function loadTaken(store: Store, taken: Pick<TakenBlobs, "root">, name: string, { signal, report }: StepOpts): Promise<BuildResult["metadata"]> {
  const names = namesIn(name);
  const status = "unpacking";
  report.status(status, 0, 0);
  const platforms = await storedPlatforms(store.content, await taken.root());
  const records = await unpackImage(store, { platforms }, { signal });
  await nameImages(store, names, records);
  report.statusDone(status);
  const id = records[0]!.config;
  return { "containerimage.config.digest": id, "containerimage.digest": id, ...(names.length === 0 ? {} : { "image.name": names.join(",") }) };
}

/** Writes the layout of an image whose blobs a builder has sent. */
export async function writeTakenLayout(sink: LayoutSink, { content }: Pick<Store, "content">, taken: Pick<TakenBlobs, "root">, { type, attrs }: ExportSpec): Promise<void> {
  const root = await taken.root();
  const platforms = await packedPlatforms(content, root);
  await writeLayout(sink, content, [{ names: namesIn(attrs["name"] ?? ""), root, platforms }], type === "docker" ? "docker" : "oci");
}

/** Every manifest of the image, those included that are no image of a platform. */
async function packedPlatforms(content: Store["content"], root: Descriptor): Promise<readonly PackedImage[]> {
  const bytes = await readBlob(content, root.digest, manifestLimit);
  const parsed = parseManifest(bytes, "the manifest of the builder's image");
  if (parsed.kind === "index") return (await Promise.all(parsed.index.manifests.map((child) => packedPlatforms(content, child)))).flat();
  const { config, layers } = parsed.manifest;
  const { created, os = "linux", architecture = "unknown" } = JSON.parse((await readBlob(content, config.digest, configLimit)).toString("utf8")) as Partial<ImageConfig>;
  return [{ platform: { os, architecture }, config, layers, manifest: { descriptor: root, bytes }, created }];
}

function namesIn(name: string): readonly string[] {
  return name.split(",").flatMap((one) => (one.trim() === "" ? [] : [formatReference(withDefaultTag(parseReference(one.trim())))]));
}
