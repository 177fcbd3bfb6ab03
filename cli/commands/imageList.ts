import type { Builder } from "../../builder/builder.js";
import { knownDigest } from "../../builder/image/stored.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { imageId } from "../../cache/images.js";
import type { ImageManifestRecord } from "../../cache/meta/records.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { type Digest, hexOf } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { formatCreated } from "../age.js";
import type { ImageListArgs } from "../args/imageListing.js";
import { referencePattern } from "../flags/imageFilter.js";
import { imageSize, readImageConfig } from "../imageInfo.js";
import { formatTable } from "../table.js";
import { renderRows } from "../templateRows.js";
import { type SelectedImage, selectImages, splitName } from "./imageSelect.js";

/** `tbuild image ls`. @throws {TbuildError} usage, not_found */
export async function listImages(builder: Builder, args: ImageListArgs): Promise<string> {
  const references = [...args.filter.references, ...args.names.map(referencePattern)];
  const images = await selectImages(builder, { ...args.filter, references });
  if (args.quiet) return [...new Set(images.map(({ record }) => `${shownId(imageId(record), args)}\n`))].join("");
  if (args.format === "json") return `${JSON.stringify(images.map((image) => jsonRow(builder, image)), null, 2)}\n`;
  if (args.format === "table") return await table(builder, images, args);
  const rows = await Promise.all(images.map((image) => templateRow(builder, image, args)));
  return renderRows(args.format.template, rows, HEADINGS);
}

function jsonRow({ store }: Builder, { record, name, config }: SelectedImage) {
  const [manifest] = record.manifests;
  return {
    name,
    id: imageId(record),
    platform: manifest === undefined ? "" : formatPlatform(manifest.platform),
    platforms: record.manifests.map(({ platform, config: id }) => ({ platform: formatPlatform(platform), id })),
    created: config.created ?? null,
    /** Bytes of all uncompressed layers. */
    size: imageSize(store, record),
  };
}

async function table(builder: Builder, images: readonly SelectedImage[], args: ImageListArgs): Promise<string> {
  const rows = await Promise.all(images.map((image) => tableRows(builder, image, args)));
  const digest = args.digests ? ["DIGEST"] : [];
  return formatTable(["REPOSITORY", "TAG", ...digest, "IMAGE ID", "PLATFORM", "CREATED", "SIZE"], rows.flat());
}

/** Platforms after the first stand below the name that they share. */
async function tableRows(builder: Builder, { record, name, config }: SelectedImage, args: ImageListArgs): Promise<readonly (readonly string[])[]> {
  const { repository, tag } = splitName(name);
  const digest = args.digests ? [await shownDigest(builder, record)] : [];
  const [first, ...others] = record.manifests;
  if (first === undefined) return [];
  const rest = others.map(async (manifest) => [
    " └─",
    "",
    ...digest.map(() => ""),
    ...platformCells(builder, manifest, await readImageConfig(builder.store, manifest.config), args),
  ]);
  return [[repository, tag, ...digest, ...platformCells(builder, first, config, args)], ...(await Promise.all(rest))];
}

function platformCells({ store }: Builder, manifest: ImageManifestRecord, config: ImageConfig, args: ImageListArgs): readonly string[] {
  const size = imageSize(store, { manifests: [manifest] });
  return [shownId(manifest.config, args), formatPlatform(manifest.platform), formatCreated(config.created), formatBytes(size)];
}

const HEADINGS: Readonly<Record<string, string>> = {
  ID: "IMAGE ID",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
};

/** Fields and their text as `docker image ls` has them; Platform is ours. */
async function templateRow(builder: Builder, { record, name, config }: SelectedImage, args: ImageListArgs): Promise<Readonly<Record<string, string>>> {
  const { repository, tag } = splitName(name);
  return {
    Containers: "N/A",
    CreatedAt: createdAt(config.created),
    CreatedSince: formatCreated(config.created),
    Digest: await shownDigest(builder, record),
    ID: shownId(imageId(record), args),
    Platform: record.manifests.map(({ platform }) => formatPlatform(platform)).join(","),
    Repository: repository,
    SharedSize: "N/A",
    Size: formatBytes(imageSize(builder.store, record)),
    Tag: tag,
    UniqueSize: "N/A",
  };
}

/** As Go prints a time: "2024-05-06 07:08:09 +0000 UTC". */
export function createdAt(created: string | undefined): string {
  const time = Date.parse(created ?? "");
  return Number.isNaN(time) ? "N/A" : new Date(time).toISOString().replace(/^(.*)T(.{8}).*$/, "$1 $2 +0000 UTC");
}

async function shownDigest({ store }: Builder, record: SelectedImage["record"]): Promise<string> {
  return (await knownDigest(store, record)) ?? "<none>";
}

function shownId(id: Digest, { truncate }: Pick<ImageListArgs, "truncate">): string {
  return truncate ? hexOf(id).slice(0, 12) : id;
}
