import type { Platform } from "../../cache/oci/platform.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { formatReference, parseReference } from "../../cache/oci/reference.js";
import { type NeededKey, withoutLogin } from "./request.js";

/** Everything from outside that a result was made of, in the order of their names. Source: BuildKit, solver/llbsolver/provenance/capture.go. */
export interface Capture {
  readonly images: readonly ImageMaterial[];
  readonly blobs: readonly BlobMaterial[];
  /** `url` with `#ref`. */
  readonly git: readonly GitMaterial[];
  readonly http: readonly { readonly url: string; readonly digest: string }[];
  /** Names of directories of the client, whose content is not known by any digest. */
  readonly locals: readonly string[];
  readonly secrets: readonly NeededKey[];
  readonly ssh: readonly NeededKey[];
  /** A step could reach the network. */
  readonly network: boolean;
  /** A step may have read what nobody knows of. */
  readonly incomplete: boolean;
}

/** An image that was built on, or read. */
export interface ImageMaterial {
  /** Full reference. */
  readonly reference: string;
  readonly platform: Platform | null;
  /** Of the manifest or index that the name stood for; "" when it is not known. */
  readonly digest: string;
  /** It came from an image layout. */
  readonly layout: boolean;
}

/** A repository that was read. */
export interface GitMaterial {
  readonly url: string;
  readonly commit: string;
  /** The blob that its commit came from instead. */
  readonly bundle?: BlobMaterial;
}

/** A blob that was read by its digest. */
export interface BlobMaterial {
  /** Full reference, with the digest. */
  readonly reference: string;
  readonly digest: string;
  /** It came from an image layout. */
  readonly layout: boolean;
}

/** Of nothing. */
export const emptyCapture: Capture = { images: [], blobs: [], git: [], http: [], locals: [], secrets: [], ssh: [], network: false, incomplete: false };

/** All together, each thing once, sorted. */
export function mergeCaptures(parts: readonly Capture[]): Capture {
  const all = <K extends keyof Capture>(key: K) => parts.flatMap((part) => part[key] as readonly (Capture[K] extends readonly (infer T)[] ? T : never)[]);
  return {
    images: withoutPinned(once(all("images"), ({ reference, platform, layout }) => [reference, platform === null ? "" : formatPlatform(platform), layout])),
    blobs: once(all("blobs"), ({ reference, layout }) => [reference, layout]),
    git: once(all("git").map((one) => ({ ...one, url: withoutLogin(one.url) })), ({ url }) => [url]),
    http: once(all("http").map((one) => ({ ...one, url: withoutLogin(one.url) })), ({ url }) => [url]),
    locals: once(all("locals"), (name) => [name]),
    secrets: keys(all("secrets")),
    ssh: keys(all("ssh")),
    network: parts.some(({ network }) => network),
    incomplete: parts.some(({ incomplete }) => incomplete),
  };
}

/** The first of each key, in the order of the keys. */
function once<T>(list: readonly T[], keyOf: (one: T) => readonly unknown[]): readonly T[] {
  const byKey = new Map<string, T>();
  for (const one of list) {
    const key = keyOf(one).join("\0");
    if (!byKey.has(key)) byKey.set(key, one);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** What one step needs is needed. */
function keys(list: readonly NeededKey[]): readonly NeededKey[] {
  return once(list, ({ id }) => [id]).map(({ id }) => (list.some((one) => one.id === id && one.optional !== true) ? { id } : { id, optional: true }));
}

/** Frontends find out what a tag stands for, and write the digest into the graph: only the tag was asked for. */
function withoutPinned(images: readonly ImageMaterial[]): readonly ImageMaterial[] {
  const tagOf = ({ reference }: ImageMaterial) => {
    const { tag, ...rest } = parseReference(reference);
    return formatReference({ ...rest, tag: tag ?? "latest", digest: null });
  };
  const isPinned = ({ reference }: ImageMaterial) => parseReference(reference).digest !== null;
  const tags = new Set(images.filter((image) => !isPinned(image)).map(tagOf));
  return images.filter((image) => !isPinned(image) || !tags.has(tagOf(image)));
}
