import { formatPlatform, type Platform } from "../../cache/oci/platform.js";
import { familiarReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";

/**
 * Package URL of an image: `pkg:docker/alpine@latest?platform=linux%2Famd64`. "oci" is for one of an image layout.
 * Further qualifiers have names that come after "platform" in the alphabet.
 * Source: BuildKit, util/purl/image.go. @throws {TbuildError} invalid_reference
 */
export function imagePurl(type: "docker" | "oci", reference: string, platform: Platform | null, further: Readonly<Record<string, string>> = {}): string {
  const full = withDefaultTag(parseReference(reference));
  const path = familiarReference({ ...full, tag: null, digest: null }).split("/");
  const name = path.map(encodeURIComponent).join("/");
  const version = full.tag === null ? "" : `@${escaped(full.tag)}`;
  const qualifiers = [
    ...(full.digest === null ? [] : [`digest=${escaped(full.digest)}`]),
    ...(platform === null ? [] : [`platform=${escaped(formatPlatform(platform))}`]),
    ...Object.entries(further).map(([key, value]) => `${key}=${escaped(value)}`),
  ];
  return `pkg:${type}/${name}${version}${qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`}`;
}

/** As Go's url.PathEscape. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|26|2B|3A|3D|40)/g, decodeURIComponent);
}
