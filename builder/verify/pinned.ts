import { isDigest } from "../../cache/oci/digest.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { Material } from "../attest/materials.js";
import type { PolicyRule } from "../policy/policy.js";

/** A base image, and what its name stood for when the image was built. */
export interface PinnedImage {
  /** Full reference with a tag. */
  readonly name: string;
  /** Of a manifest; of a config where the image came from the image store of the builder. */
  readonly digest: string;
}

/** Images among the materials of a build that were named without a digest. Pure. */
export function pinnedImages(materials: readonly Material[]): readonly PinnedImage[] {
  const found = materials.flatMap(({ uri, digest }) => {
    const name = imageName(uri);
    const hex = digest?.["sha256"];
    return name === null || hex === undefined || !isDigest(`sha256:${hex}`) ? [] : [{ name, digest: `sha256:${hex}` }];
  });
  return [...new Map(found.map((one) => [one.name, one])).values()];
}

/** `pkg:docker/alpine@3.19?platform=linux%2Famd64` → its name; null for what is no image, or has a digest in its name. */
function imageName(uri: string): string | null {
  const [, path = "", version = "", query = ""] = /^pkg:docker\/([^@?]+)(?:@([^?]*))?(?:\?(.*))?$/.exec(uri) ?? [];
  const qualifiers = new URLSearchParams(query);
  if (path === "" || qualifiers.has("digest") || qualifiers.has("ref_type")) return null;
  try {
    const tag = version === "" ? "" : `:${decodeURIComponent(version)}`;
    return formatReference(withDefaultTag(parseReference(decodeURIComponent(path) + tag)));
  } catch {
    return null;
  }
}

/** The rule by which a name stands for what it stood for then. */
export function pinRule({ name, digest }: PinnedImage): PolicyRule {
  const identifier = `docker-image://${name}`;
  return { selector: { identifier, match: "exact", constraints: [] }, action: { kind: "convert", identifier: `${identifier}@${digest}`, attrs: {} } };
}

/** Rules by which downloads have to be what they were then: else the build fails, and says so. Pure. */
export function downloadRules(materials: readonly Material[]): readonly PolicyRule[] {
  return materials.flatMap(({ uri, digest }): readonly PolicyRule[] => {
    const hex = digest?.["sha256"];
    if (!/^https?:\/\//.test(uri) || uri.includes(".git") || hex === undefined) return [];
    return [{ selector: { identifier: uri, match: "exact", constraints: [] }, action: { kind: "convert", identifier: "", attrs: { "http.checksum": `sha256:${hex}` } } }];
  });
}
