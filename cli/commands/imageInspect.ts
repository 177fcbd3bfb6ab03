import type { Builder } from "../../builder/builder.js";
import { knownDigest, packStored } from "../../builder/image/stored.js";
import { manifestLimit } from "../../builder/registry/manifest.js";
import { readBlob } from "../../builder/registry/resolve.js";
import type { Opts } from "../../cache/content/store.js";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
import { imageId } from "../../cache/images.js";
import type { ImageRecord } from "../../cache/meta/records.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import type { ImageInspectArgs } from "../args/image.js";
import { imageName, imageSize, readImageConfig } from "../imageInfo.js";
import { compileTemplate } from "../template.js";
import { splitName } from "./imageSelect.js";

/** `tbuild image inspect`. @throws {TbuildError} not_found, usage for a bad template */
export async function inspectImages(builder: Builder, { names, format, raw }: ImageInspectArgs, opts: Opts): Promise<string> {
  const records = names.map((name) => storedImage(builder, name));
  if (raw) return await rawManifest(builder, records[0]!, opts);
  const shown = await Promise.all(records.map((record) => inspected(builder, record)));
  if (format === null || format === "json") return `${JSON.stringify(shown, null, 2)}\n`;
  const { render } = compileTemplate(format);
  return shown.map((image) => `${render(image)}\n`).join("");
}

function storedImage({ store }: Builder, name: string): ImageRecord {
  try {
    return store.images.resolve(name);
  } catch (error) {
    if (!isTbuildError(error) || error.code !== "not_found") throw error;
    throw new TbuildError("not_found", error.message, { hint: "--remote asks the registry", cause: error });
  }
}

/** Layers that were never packed are packed for it. */
async function rawManifest({ store }: Builder, record: ImageRecord, opts: Opts): Promise<string> {
  const { root } = await packStored(store, record, opts);
  return (await readBlob(store.content, root.digest, manifestLimit)).toString("utf8");
}

/** Absent where nothing is said of the image. */
function attestationsOf({ manifests }: ImageRecord): { readonly Attestations?: readonly object[] } {
  const all = manifests.flatMap(({ platform, attestations = [] }) =>
    attestations.map(({ predicateType, path }) => ({ Platform: formatPlatform(platform), PredicateType: predicateType, Path: path })),
  );
  return all.length === 0 ? {} : { Attestations: all };
}

/** Fields as `docker image inspect` has them; History and Platforms are ours. */
async function inspected({ store }: Builder, record: ImageRecord): Promise<Readonly<Record<string, unknown>>> {
  const id = imageId(record);
  const config = await readImageConfig(store, id);
  const names = store.images.byId(id).flatMap((other) => imageName(other) ?? []);
  const digest = await knownDigest(store, record);
  return {
    Id: id,
    RepoTags: names,
    RepoDigests: digest === null ? [] : [...new Set(names.map((name) => `${splitName(name).repository}@${digest}`))],
    Created: config.created ?? null,
    Author: config.author ?? "",
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: imageSize(store, record),
    Config: config.config ?? {},
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    History: config.history ?? [],
    ...attestationsOf(record),
    Platforms: record.manifests.map(({ platform, config: platformId }) => ({ Platform: formatPlatform(platform), Id: platformId })),
  };
}
