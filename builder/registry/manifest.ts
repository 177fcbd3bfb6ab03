import { TbuildError } from "../../cache/errors.js";
import { mediaTypes, type Descriptor, type ImageConfig, type Index, type Manifest } from "../../cache/oci/descriptor.js";
import { isDigest } from "../../cache/oci/digest.js";
import { isPlatform, isTextList, isTextMap, withoutNulls, wrongConfigField } from "./shape.js";

/** A manifest or an index, told apart. */
export type ParsedManifest =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly index: Index };

/** Largest manifest that is read, in bytes; the limit that registries themselves keep to. */
export const manifestLimit = 4 << 20;

/** Largest image config that is read, in bytes. */
export const configLimit = 8 << 20;

/** True for the media type of a tar, however it is compressed: its first bytes tell how. An encrypted one is none. */
export function isLayerType(mediaType: string): boolean {
  return /[./]tar(?:[.+](?:gzip|zstd|bzip2|xz))?$/.test(mediaType);
}

/** What a GET of a manifest accepts. */
export const manifestTypes: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.dockerIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
];

/** `name` says in messages what the bytes are. @throws {TbuildError} corrupt, unsupported for schema 1 */
export function parseManifest(bytes: Uint8Array, name: string): ParsedManifest {
  const value = parseJson(bytes, name);
  if (value["schemaVersion"] === 1) {
    throw new TbuildError(
      "unsupported",
      `Cannot read ${name}: image manifest schema 1`,
      { hint: "Push the image again with a current tool" },
    );
  }
  const { manifests, config, layers } = value;
  const mediaType = textOr(value["mediaType"], "");
  if (manifests !== undefined && (config !== undefined || layers !== undefined)) throw malformed(name, "both an image manifest and an index");
  if (Array.isArray(manifests) && manifests.every(isDescriptor)) {
    checkKind(mediaType, "index", name);
    return { kind: "index", index: value as unknown as Index };
  }
  if (isDescriptor(config) && Array.isArray(layers) && layers.every(isDescriptor)) {
    checkKind(mediaType, "manifest", name);
    return { kind: "manifest", manifest: value as unknown as Manifest };
  }
  throw malformed(name, "neither an image manifest nor an index");
}

/**
 * What came for a manifest is one, and of the kind that the registry calls it: who reads one thing and verifies another can be
 * deceived. `mediaType` is the header's; one that names neither kind says nothing. Source: CVE-2021-41190.
 * @throws {TbuildError} as {@link parseManifest}
 */
export function checkManifest(bytes: Uint8Array, mediaType: string, name: string): void {
  checkKind(mediaType, parseManifest(bytes, name).kind, name);
}

const KINDS: Readonly<Record<string, ParsedManifest["kind"]>> = {
  [mediaTypes.ociIndex]: "index",
  [mediaTypes.dockerIndex]: "index",
  [mediaTypes.ociManifest]: "manifest",
  [mediaTypes.dockerManifest]: "manifest",
};

function checkKind(mediaType: string, kind: ParsedManifest["kind"], name: string): void {
  const said = KINDS[mediaType];
  if (said === undefined || said === kind) return;
  throw malformed(name, `its media type is "${mediaType}", but it is an ${kind === "index" ? "index" : "image manifest"}`);
}

/** @throws {TbuildError} corrupt, unsupported when the config is that of something else than a container image */
export function parseImageConfig(bytes: Uint8Array, name: string): ImageConfig {
  const value = parseJson(bytes, name);
  const rootfs = value["rootfs"] as { readonly diff_ids?: unknown } | undefined;
  if (rootfs === undefined || rootfs === null || !value["architecture"]) {
    throw new TbuildError("unsupported", `Cannot use ${name}: it is not the config of a container image`);
  }
  const ids = rootfs.diff_ids ?? [];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string" && isDigest(id))) throw malformed(
    name,
    "bad rootfs.diff_ids",
  );
  const wrong = wrongConfigField(value);
  if (wrong !== null) throw malformed(name, `"${wrong}" has another type than it should`);
  const config = withoutNulls(value);
  const run = config["config"] === undefined ? {} : { config: withoutNulls(config["config"] as Record<string, unknown>) };
  return { ...(config as unknown as ImageConfig), ...run, os: textOr(value["os"], "linux"), rootfs: { type: "layers", diff_ids: ids } };
}

function parseJson(bytes: Uint8Array, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw malformed(name, "not JSON", error);
  }
  throw malformed(name, "not a JSON object");
}

function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== "object" || value === null) return false;
  const { mediaType, digest, size, platform, annotations, urls } = value as Record<string, unknown>;
  const isSize = Number.isSafeInteger(size) && (size as number) >= 0;
  return typeof mediaType === "string" && typeof digest === "string" && isDigest(digest) && isSize && isPlatform(platform) && isTextMap(annotations) && isTextList(urls);
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" && value !== "" ? value : fallback;
}

function malformed(name: string, reason: string, cause?: unknown): TbuildError {
  return new TbuildError("corrupt", `Cannot read ${name}: ${reason}`, { cause });
}
