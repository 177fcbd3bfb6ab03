import type { Builder } from "../../builder/builder.js";
import type { RemoteDocument } from "../../builder/imageCreate.js";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor, ImageConfig } from "../../cache/oci/descriptor.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { formatReference } from "../../cache/oci/reference.js";
import type { ImageInspectArgs } from "../args/image.js";
import { compileTemplate } from "../template.js";

/**
 * `tbuild image inspect --remote`: what registries hold, without bringing it here. Fields are those of `docker buildx imagetools
 * inspect`: Name, Manifest, Image. @throws {TbuildError} not_found, unauthorized, unavailable, usage for a bad template
 */
export async function inspectRemote(builder: Builder, { names, format, raw }: ImageInspectArgs, opts: Opts): Promise<string> {
  const found = await Promise.all(names.map((name) => builder.remoteDocument(name, opts)));
  if (raw) return Buffer.from(found[0]!.bytes).toString("utf8");
  if (format === null) return found.map(readable).join("\n");
  const fields = await Promise.all(found.map((document) => fieldsOf(builder, document, opts)));
  if (format === "json") return `${JSON.stringify(fields, null, 2)}\n`;
  const { render } = compileTemplate(format);
  return fields.map((one) => `${render(one)}\n`).join("");
}

function readable({ reference, descriptor, parsed }: RemoteDocument): string {
  const name = formatReference({ ...reference, digest: null });
  const head = lines([["Name", name], ["MediaType", descriptor.mediaType], ["Digest", descriptor.digest]]);
  if (parsed.kind === "manifest") return head;
  const repository = formatReference({ ...reference, tag: null, digest: null });
  const entries = parsed.index.manifests.map((entry) => entryLines(repository, entry));
  return `${head}${annotationLines(parsed.index.annotations, "")}\nManifests:\n${entries.join("\n")}`;
}

function entryLines(repository: string, { digest, mediaType, platform, annotations }: Descriptor): string {
  const shown = platform === undefined ? [] : [["Platform", formatPlatform(platform)] as const];
  return `${lines([["Name", `${repository}@${digest}`], ["MediaType", mediaType], ...shown], "  ")}${annotationLines(annotations, "  ")}`;
}

function annotationLines(annotations: Descriptor["annotations"], indent: string): string {
  const entries = Object.entries(annotations ?? {});
  return entries.length === 0 ? "" : `${indent}Annotations:\n${entries.map(([key, value]) => `${indent}  ${key}: ${value}\n`).join("")}`;
}

function lines(pairs: readonly (readonly [string, string])[], indent = ""): string {
  return pairs.map(([name, value]) => `${indent}${`${name}:`.padEnd(11)}${value}\n`).join("");
}

async function fieldsOf(builder: Builder, document: RemoteDocument, opts: Opts): Promise<Readonly<Record<string, unknown>>> {
  const { reference, descriptor, parsed } = document;
  const { digest, size, mediaType } = descriptor;
  const body = parsed.kind === "index" ? parsed.index : parsed.manifest;
  return { name: formatReference({ ...reference, digest: null }), manifest: { ...body, mediaType, digest, size }, image: await configs(builder, document, opts) };
}

/** The config of an image, or those of an index by platform. */
async function configs(builder: Builder, { reference, parsed }: RemoteDocument, opts: Opts): Promise<ImageConfig | Readonly<Record<string, ImageConfig>>> {
  if (parsed.kind === "manifest") return await builder.remoteConfig(reference, parsed.manifest, opts);
  const named = parsed.index.manifests.filter(({ platform }) => platform !== undefined && platform.os !== "unknown");
  const found = named.map(async ({ platform, digest }) => {
    const inner = await builder.remoteDocument(formatReference({ ...reference, digest }), opts);
    return inner.parsed.kind === "manifest" ? [[formatPlatform(platform!), await builder.remoteConfig(inner.reference, inner.parsed.manifest, opts)] as const] : [];
  });
  return Object.fromEntries((await Promise.all(found)).flat());
}
