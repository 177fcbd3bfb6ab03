import type { Builder } from "../../builder/builder.js";
import { imageId } from "../../cache/images.js";
import type { ImageManifestRecord, ImageRecord } from "../../cache/meta/records.js";
import { type Digest, hexOf } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { parseReference } from "../../cache/oci/reference.js";
import { formatCreated } from "../age.js";
import type { ImageArgs } from "../args/image.js";
import { imageName, imageSize, readImageConfig } from "../imageInfo.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatTable } from "../table.js";
import type { Terminal } from "../terminal.js";
import { imageHistory } from "./history.js";

/** Runs `tbuild image VERB` and returns what is to be printed. @throws {TbuildError} not_found, invalid_reference, corrupt */
export async function imageCommand(
  builder: Builder,
  args: ImageArgs,
  terminal: Terminal,
  opts: { readonly signal: AbortSignal },
): Promise<string> {
  switch (args.verb) {
    case "ls":
      return await listImages(builder, args);
    case "inspect":
      return await inspectImages(builder, args.names);
    case "history":
      return await imageHistory(builder, args.name, args.format);
    case "rm":
      return await removeImages(builder, args.names);
    case "tag":
      await builder.store.images.tag(args.source, args.target);
      return "";
    case "push":
    case "pull":
      return await (await import("./registry.js")).registryCommand(builder, args, terminal, opts.signal);
    default:
      return await (await import("./archives.js")).archiveCommand(builder, args, opts);
  }
}

interface ImageRow {
  readonly name: string | null;
  readonly id: Digest;
  readonly platforms: readonly string[];
  readonly created: string | null;
  /** Bytes of all uncompressed layers. */
  readonly size: number;
}

async function listImages(builder: Builder, { names, quiet, format }: ImageArgs & { readonly verb: "ls" }): Promise<string> {
  const records = builder.store.images.list().filter((record) => isAsked(imageName(record), names));
  if (quiet) return [...new Set(records.map((record) => `${imageId(record)}\n`))].join("");
  const rows = await Promise.all(records.map((record) => imageRow(builder, record)));
  if (format === "json") return `${JSON.stringify(rows, null, 2)}\n`;
  return formatTable(
    ["NAME", "TAG", "IMAGE ID", "PLATFORM", "CREATED", "SIZE"],
    rows.map((row) => {
      const { repository, tag } = splitName(row.name);
      return [repository, tag, hexOf(row.id).slice(0, 12), row.platforms.join(","), formatCreated(row.created), formatBytes(row.size)];
    }),
  );
}

/** A repository stands for all of its tags. */
function isAsked(name: string | null, names: readonly string[]): boolean {
  return names.length === 0 || (name !== null && names.some((asked) => name === asked || splitName(name).repository === asked));
}

async function imageRow(builder: Builder, record: ImageRecord): Promise<ImageRow> {
  const config = await readImageConfig(builder.store, imageId(record));
  return {
    name: imageName(record),
    id: imageId(record),
    platforms: record.manifests.map(({ platform }) => formatPlatform(platform)),
    created: config.created ?? null,
    size: imageSize(builder.store, record),
  };
}

function splitName(name: string | null): { readonly repository: string; readonly tag: string } {
  if (name === null) return { repository: "<none>", tag: "<none>" };
  const { tag } = parseReference(name);
  // A name may have a digest too, by which it was pulled or pushed.
  const [plain = name] = name.split("@", 1);
  return { repository: tag === null ? plain : plain.slice(0, -tag.length - 1), tag: tag ?? "<none>" };
}

async function inspectImages(builder: Builder, names: readonly string[]): Promise<string> {
  const records = names.map((name) => builder.store.images.resolve(name));
  const shown = records.map(async (record) => {
    const id = imageId(record);
    const config = await readImageConfig(builder.store, id);
    const several = record.manifests.length > 1 ? { Platforms: await Promise.all(record.manifests.map((one) => inspectPlatform(builder, one))) } : {};
    return { Id: id, RepoTags: tagsOf(builder, id), Size: imageSize(builder.store, record), ...config, ...several };
  });
  return `${JSON.stringify(await Promise.all(shown), null, 2)}\n`;
}

async function inspectPlatform({ store }: Builder, manifest: ImageManifestRecord): Promise<object> {
  const config = await readImageConfig(store, manifest.config);
  return { Platform: formatPlatform(manifest.platform), Id: manifest.config, Size: imageSize(store, { manifests: [manifest] }), ...config };
}

function tagsOf(builder: Builder, id: Digest): readonly string[] {
  return builder.store.images.byId(id).flatMap((record) => imageName(record) ?? []);
}

async function removeImages(builder: Builder, names: readonly string[]): Promise<string> {
  // All are looked up first, so that a misspelt name removes nothing.
  const records = names.map((name) => builder.store.images.resolve(name));
  for (const { name } of new Set(records)) await builder.store.images.remove(name);
  return records.map((record) => `Untagged: ${imageName(record) ?? imageId(record)}\n`).join("");
}
