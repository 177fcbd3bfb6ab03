import { TbuildError } from "../../cache/errors.js";
import { formatReference, parseReference, type Reference } from "../../cache/oci/reference.js";
import { readNames, type Attrs } from "./attrs.js";

/** What an image exporter is to do besides naming the image in the image store. */
export interface PushAttrs {
  readonly push: boolean;
  /** The registry gets the manifest and no tag. */
  readonly byDigest: boolean;
  /** The image store gets NAME@DIGEST as well. */
  readonly canonical: boolean;
  readonly insecure: boolean;
  /** Layers that are in a registry are brought here. */
  readonly unpack: boolean;
  /** The image store gets the names. */
  readonly store: boolean;
  /** With a tag, without when pushed by digest. */
  readonly names: readonly Reference[];
}

/**
 * Attributes of `type=image` and `type=registry` that concern registries; names and meanings are BuildKit's.
 * @throws {TbuildError} invalid_argument, invalid_reference
 */
export function readPushAttrs(attrs: Attrs, pushes: boolean): PushAttrs {
  const byDigest = attrs.bool("push-by-digest", false);
  const read = {
    push: attrs.bool("push", pushes),
    byDigest,
    canonical: attrs.bool("name-canonical", false),
    insecure: attrs.bool("registry.insecure", false),
    store: attrs.bool("store", true),
    unpack: attrs.bool("unpack", false),
    names: byDigest ? untaggedNames(attrs) : readNames(attrs).map(parseReference),
  };
  if (read.push && read.names.length === 0) {
    throw new TbuildError("invalid_argument", "Cannot push the image: it has no name", { hint: "Name it with -t REGISTRY/REPOSITORY:TAG" });
  }
  const pinned = read.names.find(({ digest }) => digest !== null);
  if (pinned !== undefined) {
    throw new TbuildError("invalid_argument", `Cannot name an image "${formatReference(pinned)}": its digest is not known yet`, {
      hint: "Give the name without a digest",
    });
  }
  return read;
}

function untaggedNames(attrs: Attrs): readonly Reference[] {
  const names = (attrs.text("name") ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const references = names.map(parseReference);
  const tagged = references.find(({ tag }) => tag !== null);
  if (tagged === undefined) return references;
  throw new TbuildError("invalid_argument", `Cannot push "${formatReference(tagged)}" by digest: the name has a tag`, {
    hint: "Give the name without a tag",
  });
}

/** Names for the image store: what is pushed by digest takes no tag from another image. */
export function storeNames({ names, byDigest, canonical }: PushAttrs, digest: Reference["digest"]): readonly string[] {
  const plain = byDigest ? [] : names.map(formatReference);
  return canonical || byDigest ? [...plain, ...names.map((name) => formatReference({ ...name, digest }))] : plain;
}
