import type { Descriptor, Index } from "../../../cache/oci/descriptor.js";
import { formatPlatform, parsePlatform, type Platform } from "../../../cache/oci/platform.js";
import { type Annotation, annotationsOf } from "../../image/annotations.js";
import { assembleIndex, type Document, type Flavour } from "../../image/assemble.js";
import { nowhere } from "../../image/attestationManifest.js";
import { SUBJECT } from "../../image/combine.js";

/** How the merged index is written. */
export interface MergeOptions {
  /** In the order that their manifests get. */
  readonly platforms: readonly Platform[];
  readonly annotations: readonly Annotation[];
  readonly flavour: Flavour;
}

/** What is asked for and what an index says, in one spelling: arm64/v8 is arm64, and Windows has its version from its base. */
export function platformName({ os, architecture, variant = "" }: Platform): string {
  return formatPlatform(parsePlatform([os, architecture, ...(variant === "" ? [] : [variant])].join("/")));
}

/**
 * The index over what several nodes have built, byte for byte as if one of them had built everything: manifests in the order of the
 * platforms, and then what is said of them, in the same order. Pure.
 */
export function mergeIndexes(indexes: readonly Index[], { platforms, annotations, flavour }: MergeOptions): Document {
  const entries = indexes.flatMap(({ manifests }) => manifests).map((entry) => ({ descriptor: entry, platform: entry.platform ?? nowhere }));
  const place = new Map(platforms.map((platform, index) => [platformName(platform), index]));
  const placeOf = ({ platform }: { readonly platform: Platform }) => place.get(platformName(platform)) ?? platforms.length;
  const sorted = [...entries].sort((a, b) => placeOf(a) - placeOf(b));
  const images = sorted.filter((entry) => placeOf(entry) < platforms.length).map(({ descriptor }) => descriptor.digest as string);
  const subject = ({ descriptor: { annotations: own } }: { readonly descriptor: Descriptor }) => images.indexOf(own?.[SUBJECT] ?? "");
  const statements = sorted.slice(images.length).sort((a, b) => subject(a) - subject(b));
  const index = assembleIndex([...sorted.slice(0, images.length), ...statements], { flavour, annotations: annotationsOf(annotations, "index", null) });
  const own = annotationsOf(annotations, "index-descriptor", null);
  return own === undefined ? index : { ...index, descriptor: { ...index.descriptor, annotations: own } };
}
