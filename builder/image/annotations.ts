import { TbuildError } from "../../cache/errors.js";
import { formatPlatform, parsePlatform, type Platform } from "../../cache/oci/platform.js";
import type { Flavour } from "./assemble.js";

/** What an annotation stands on: a document, or what points at it. */
export type AnnotationKind = (typeof annotationKinds)[number];

/** All kinds. */
export const annotationKinds = ["manifest", "manifest-descriptor", "index", "index-descriptor"] as const;

/** One annotation that was asked for. */
export interface Annotation {
  readonly kind: AnnotationKind;
  /** The only one that it is for; null is all. */
  readonly platform: Platform | null;
  readonly key: string;
  readonly value: string;
}

const ATTRIBUTE = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(\S+)$/;

/**
 * An exporter's attribute `annotation[-KIND][[PLATFORM]].KEY`; null when it is none. Source: BuildKit's
 * exporter/containerimage/exptypes/annotations.go. @throws {TbuildError} invalid_argument
 */
export function parseAnnotation(attribute: string, value: string): Annotation | null {
  const [, kind = "manifest", platform, key] = ATTRIBUTE.exec(attribute) ?? [];
  if (key === undefined) return null;
  return { kind: annotationKind(kind), platform: platform === undefined ? null : parsePlatform(platform), key, value };
}

/** The exporter's attribute that stands for an annotation: the other way round of {@link parseAnnotation}. */
export function annotationAttribute({ kind, platform, key }: Omit<Annotation, "value">): string {
  return `annotation-${kind}${platform === null ? "" : `[${formatPlatform(platform)}]`}.${key}`;
}

/** @throws {TbuildError} invalid_argument for a name that is none */
export function annotationKind(name: string): AnnotationKind {
  const known = annotationKinds.find((kind) => kind === name);
  if (known !== undefined) return known;
  throw new TbuildError("invalid_argument", `Unknown kind of annotation: "${name}"`, { hint: `Kinds are ${annotationKinds.join(", ")}` });
}

/**
 * The annotations of one kind, for one platform's manifest or, with null, for the index; undefined when there are none. What
 * is for one platform comes before what is for all.
 */
export function annotationsOf(
  annotations: readonly Annotation[],
  kind: AnnotationKind,
  platform: Platform | null,
): Readonly<Record<string, string>> | undefined {
  // There is one index, whatever platform its annotations name.
  const isIndex = kind.startsWith("index");
  const name = platform === null ? "" : formatPlatform(platform);
  const ofKind = annotations.filter((one) => one.kind === kind);
  const general = ofKind.filter((one) => one.platform === null || isIndex);
  const own = ofKind.filter((one) => one.platform !== null && formatPlatform(one.platform) === name);
  const all = [...general, ...own].map(({ key, value }) => [key, value] as const);
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

/** The image that annotations are for. */
export interface Annotated {
  readonly platforms: readonly Platform[];
  readonly root: "manifest" | "index";
  readonly flavour: Flavour;
}

/**
 * Refuses annotations that would end up nowhere: of an index that is not made, of a platform that is not built, and where
 * Docker's media types have no place for them. @throws {TbuildError} invalid_argument
 */
export function checkAnnotations(annotations: readonly Annotation[], { platforms, root, flavour }: Annotated): void {
  const built = platforms.map(formatPlatform);
  for (const { kind, platform, key } of annotations) {
    if (platform !== null && !built.includes(formatPlatform(platform))) {
      throw refused(kind, key, `nothing is built for ${formatPlatform(platform)}`, `The build is for ${built.join(", ")}`);
    }
    if (root === "manifest" && kind.startsWith("index")) {
      throw refused(kind, key, "an image of one platform has no index", "Build for several platforms, or with BUILDKIT_MULTI_PLATFORM=1");
    }
    if (flavour === "docker" && kind !== "manifest") {
      throw refused(kind, key, "oci-mediatypes=false has no place for it", "Leave oci-mediatypes at true");
    }
  }
}

function refused(kind: AnnotationKind, key: string, why: string, hint: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot set the ${kind} annotation "${key}": ${why}`, { hint });
}
