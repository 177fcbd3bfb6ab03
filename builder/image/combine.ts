import { TbuildError } from "../../cache/errors.js";
import { type Descriptor, mediaTypes } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { formatPlatform, type Platform, platformScore } from "../../cache/oci/platform.js";
import type { ParsedManifest } from "../registry/manifest.js";
import { type Annotation, annotationsOf } from "./annotations.js";
import type { Document } from "./assemble.js";
import { indexJson } from "./canonical.js";

/** A manifest or index that an index is made of. */
export interface CombineSource {
  readonly bytes: Uint8Array;
  /** What points at it, with its platform when it is a manifest that has one. */
  readonly descriptor: Descriptor;
  readonly parsed: ParsedManifest;
}

/** How sources are combined. */
export interface CombineOptions {
  /** Only entries for these; all when empty. */
  readonly platforms: readonly Platform[];
  /** Of kinds "index" and "manifest-descriptor". */
  readonly annotations: readonly Annotation[];
  /** A manifest that is the only source gets an index around it; otherwise it stays as it is. */
  readonly preferIndex: boolean;
}

/** Says of which manifest an attestation tells. Source: BuildKit docs/attestations/attestation-storage.md. */
export const SUBJECT = "vnd.docker.reference.digest";

/**
 * The index over all that the sources hold, each manifest once; a source that is the only one and needs no change is kept byte
 * for byte. Pure. Source: buildx util/imagetools/create.go. @throws {TbuildError} not_found for a platform that no source has,
 * invalid_argument for annotations without a place
 */
export function combine(sources: readonly CombineSource[], options: CombineOptions): Document {
  checkKinds(options.annotations);
  const [first] = sources;
  const asIs = sources.length === 1 && options.annotations.length === 0 && options.platforms.length === 0;
  if (first !== undefined && asIs && (first.parsed.kind === "index" || !options.preferIndex)) {
    return { bytes: Buffer.from(first.bytes), descriptor: pointer(first.descriptor) };
  }
  const entries = chosen(distinct(sources.flatMap(entriesOf)), options.platforms);
  if (entries.length === 0) throw new TbuildError("not_found", "Cannot create an index: the sources hold no manifests");
  const manifests = entries.map((entry) => annotated(entry, options.annotations));
  const own = annotationsOf(options.annotations, "index", null);
  const inherited = sources.length === 1 && first?.parsed.kind === "index" ? first.parsed.index.annotations : undefined;
  const annotations = own === undefined && inherited === undefined ? {} : { annotations: { ...inherited, ...own } };
  const isDocker = options.annotations.length === 0 && manifests.every(({ mediaType }) => mediaType === mediaTypes.dockerManifest);
  const mediaType = isDocker ? mediaTypes.dockerIndex : mediaTypes.ociIndex;
  const bytes = indexJson({ schemaVersion: 2, mediaType, manifests, ...annotations });
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function checkKinds(annotations: readonly Annotation[]): void {
  for (const { kind, key } of annotations) {
    if (kind === "index" || kind === "manifest-descriptor") continue;
    throw new TbuildError("invalid_argument", `Cannot set the ${kind} annotation "${key}": manifests are not changed`, {
      hint: "Use index:KEY=VALUE or manifest-descriptor[PLATFORM]:KEY=VALUE",
    });
  }
}

function entriesOf({ parsed, descriptor }: CombineSource): readonly Descriptor[] {
  return parsed.kind === "index" ? parsed.index.manifests : [descriptor];
}

function pointer({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** What is named twice stands where it was named first, with what both say of it. */
function distinct(entries: readonly Descriptor[]): readonly Descriptor[] {
  const byDigest = new Map<string, Descriptor>();
  for (const entry of entries) {
    const known = byDigest.get(entry.digest);
    const annotations = { ...known?.annotations, ...entry.annotations };
    byDigest.set(entry.digest, { ...known, ...entry, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) });
  }
  return [...byDigest.values()];
}

/** Attestations stay with the manifests that they tell of. */
function chosen(entries: readonly Descriptor[], platforms: readonly Platform[]): readonly Descriptor[] {
  if (platforms.length === 0) return entries;
  const named = entries.filter((entry): entry is Descriptor & { readonly platform: Platform } => isPlatform(entry.platform));
  for (const wanted of platforms) {
    if (named.some(({ platform }) => platformScore(wanted, platform) > 0)) continue;
    const have = [...new Set(named.map(({ platform }) => formatPlatform(platform)))];
    throw new TbuildError("not_found", `Cannot find ${formatPlatform(wanted)} in the sources`, { hint: have.length === 0 ? undefined : `They have ${have.join(", ")}` });
  }
  const kept = new Set<string>(named.filter(({ platform }) => platforms.some((wanted) => platformScore(wanted, platform) > 0)).map(({ digest }) => digest));
  return entries.filter(({ digest, annotations }) => kept.has(digest) || kept.has(annotations?.[SUBJECT] ?? ""));
}

function annotated(entry: Descriptor, annotations: readonly Annotation[]): Descriptor {
  if (entry.annotations?.[SUBJECT] !== undefined) return entry;
  const own = annotationsOf(annotations, "manifest-descriptor", isPlatform(entry.platform) ? entry.platform : null);
  return own === undefined ? entry : { ...entry, annotations: { ...entry.annotations, ...own } };
}

/** Attestations have "unknown/unknown". */
function isPlatform(platform: Platform | undefined): platform is Platform {
  return platform !== undefined && typeof platform.os === "string" && typeof platform.architecture === "string" && platform.os !== "unknown";
}
