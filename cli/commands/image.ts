import type { Builder } from "../../builder/builder.js";
import { imageId, isDangling } from "../../cache/images.js";
import type { ImageRecord } from "../../cache/meta/records.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { type Digest, hexOf } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { familiarReference, parseReference } from "../../cache/oci/reference.js";
import { readBlob } from "../../builder/registry/resolve.js";
import { formatAge } from "../age.js";
import { type OtherArgs, usage } from "../args.js";
import { formatBytes } from "../progress/format.js";
import { formatTable } from "../table.js";

/** Where an image command writes bulk bytes, and how it is cancelled. */
export interface ImageCommandOpts {
  readonly signal: AbortSignal;
  readonly stdout: NodeJS.WritableStream;
}

/** Runs `tbuild image VERB` and returns what is to be printed. @throws {TbuildError} usage, not_found */
export async function imageCommand(builder: Builder, args: OtherArgs, opts: ImageCommandOpts): Promise<string> {
  switch (args.verb) {
    case "ls":
      return await listImages(builder, args);
    case "inspect":
      return await inspectImages(builder, args);
    case "history":
      return await imageHistory(builder, args);
    case "rm":
      return await removeImages(builder, args);
    case "tag":
      return await tagImage(builder, args);
    default: {
      const { archiveCommand } = await import("./archives.js");
      return await archiveCommand(builder, args, opts);
    }
  }
}

interface ImageRow {
  readonly name: string | null;
  readonly id: Digest;
  readonly platform: string;
  readonly created: string | null;
  /** Bytes of all uncompressed layers. */
  readonly size: number;
}

async function listImages(builder: Builder, args: OtherArgs): Promise<string> {
  const rows = await Promise.all(builder.store.images.list().map((record) => imageRow(builder, record)));
  if (args.options["quiet"] === true) return [...new Set(rows.map((row) => `${row.id}\n`))].join("");
  if (args.options["format"] === "json") return `${JSON.stringify(rows, null, 2)}\n`;
  return formatTable(
    ["NAME", "TAG", "IMAGE ID", "PLATFORM", "CREATED", "SIZE"],
    rows.map((row) => {
      const { repository, tag } = splitName(row.name);
      const created = row.created === null ? "" : formatAge(Date.parse(row.created), Date.now());
      return [repository, tag, hexOf(row.id).slice(0, 12), row.platform, created, formatBytes(row.size)];
    }),
  );
}

async function imageRow(builder: Builder, record: ImageRecord): Promise<ImageRow> {
  const config = await readConfig(builder, imageId(record));
  const [manifest] = record.manifests;
  const size = (manifest?.layers ?? []).reduce((sum, { snapshot }) => sum + (builder.store.meta.layers.get(snapshot)?.size ?? 0), 0);
  return {
    name: isDangling(record) ? null : familiarReference(parseReference(record.name)),
    id: imageId(record),
    platform: manifest === undefined ? "" : formatPlatform(manifest.platform),
    created: config.created ?? null,
    size,
  };
}

function splitName(name: string | null): { readonly repository: string; readonly tag: string } {
  if (name === null) return { repository: "<none>", tag: "<none>" };
  const { tag } = parseReference(name);
  return { repository: tag === null ? name : name.slice(0, -tag.length - 1), tag: tag ?? "<none>" };
}

async function readConfig(builder: Builder, id: Digest): Promise<ImageConfig> {
  const bytes = await readBlob(builder.store.content, id, 8 * 1024 * 1024);
  return JSON.parse(bytes.toString("utf8")) as ImageConfig;
}

async function inspectImages(builder: Builder, args: OtherArgs): Promise<string> {
  needNames(args, 1, "image inspect NAME…");
  const images = args.names.map((name) => builder.store.images.resolve(name));
  const shown = images.map(async (record) => ({ Id: imageId(record), RepoTags: tagsOf(builder, imageId(record)), ...(await readConfig(builder, imageId(record))) }));
  return `${JSON.stringify(await Promise.all(shown), null, 2)}\n`;
}

function tagsOf(builder: Builder, id: Digest): readonly string[] {
  const named = builder.store.images.list().filter((record) => imageId(record) === id && !isDangling(record));
  return named.map((record) => familiarReference(parseReference(record.name)));
}

async function imageHistory(builder: Builder, args: OtherArgs): Promise<string> {
  const [name = ""] = needNames(args, 1, "image history NAME");
  const record = builder.store.images.resolve(name);
  const config = await readConfig(builder, imageId(record));
  const sizes = (record.manifests[0]?.layers ?? []).map(({ snapshot }) => builder.store.meta.layers.get(snapshot)?.size ?? 0);
  // Layers belong in order to the entries that are not empty.
  const rows = (config.history ?? []).map((entry) => ({ ...entry, size: entry.empty_layer === true ? 0 : (sizes.shift() ?? 0) })).reverse();
  if (args.options["format"] === "json") return `${JSON.stringify(rows, null, 2)}\n`;
  return formatTable(
    ["CREATED", "CREATED BY", "SIZE", "COMMENT"],
    rows.map((row) => [
      row.created === undefined ? "" : formatAge(Date.parse(row.created), Date.now()),
      shorten((row.created_by ?? "").replace(/\s+/g, " "), 60),
      formatBytes(row.size),
      row.comment ?? "",
    ]),
  );
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

async function removeImages(builder: Builder, args: OtherArgs): Promise<string> {
  needNames(args, 1, "image rm NAME…");
  const removed: string[] = [];
  for (const name of args.names) {
    const record = builder.store.images.resolve(name);
    await builder.store.images.remove(record.name);
    removed.push(`Untagged: ${isDangling(record) ? imageId(record) : familiarReference(parseReference(record.name))}\n`);
  }
  return removed.join("");
}

async function tagImage(builder: Builder, args: OtherArgs): Promise<string> {
  const [source = "", target = ""] = needNames(args, 2, "image tag SOURCE TARGET");
  await builder.store.images.tag(source, target);
  return "";
}

/** The command's words. @throws {TbuildError} usage when there are fewer than `count` */
export function needNames(args: OtherArgs, count: number, form: string): readonly string[] {
  if (args.names.length >= count) return args.names;
  throw usage(`"tbuild ${args.command} ${args.verb}" needs ${count === 1 ? "a name" : `${count} names`}`, `Write tbuild ${form}`);
}
