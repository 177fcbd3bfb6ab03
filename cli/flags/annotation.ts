import { type Annotation, annotationKind } from "../../builder/image/annotations.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { usage } from "../usage.js";

const TARGET = /^([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?$/;

/**
 * `--annotation [KIND[[PLATFORM]][,…]:]KEY=VALUE`: one annotation for each kind, of `kind` when none is named.
 * @throws {TbuildError} usage, invalid_argument for a kind or platform that is none
 */
export function parseAnnotationFlag(text: string, kind = "manifest"): readonly Annotation[] {
  const equals = text.indexOf("=");
  const colon = text.slice(0, Math.max(0, equals)).indexOf(":");
  const key = text.slice(colon + 1, Math.max(0, equals));
  if (key === "") throw usage(`Cannot read --annotation "${text}"`, "Write --annotation KEY=VALUE, or --annotation index,manifest[linux/arm64]:KEY=VALUE");
  const targets = colon < 0 ? [kind] : text.slice(0, colon).split(",");
  return targets.map((target) => {
    const [, named, platform] = TARGET.exec(target) ?? [];
    if (named === undefined) throw usage(`Cannot read "${target}" of --annotation "${text}"`, "A kind may have a platform in brackets: manifest[linux/arm64]");
    return { kind: annotationKind(named), platform: platform === undefined ? null : parsePlatform(platform), key, value: text.slice(equals + 1) };
  });
}
