import { TbuildError } from "../../cache/errors.js";
import type { PackOptions } from "../image/packed.js";

/** What is asked of an export's attributes; see Attrs. */
interface CompressionAttrs {
  text(key: string): string | undefined;
  bool(key: string, fallback: boolean): boolean;
  invalid(key: string, expected: string): TbuildError;
}

/** What an eStargz layer is not made of stays gzip, which eStargz is too. */
const compressions = { uncompressed: "none", gzip: "gzip", estargz: "gzip", zstd: "zstd" } as const;

/** Of builds of BuildKit with tags of their own. */
const elsewhere = ["nydus", "overlaybd"];

const HIGHEST_GZIP_LEVEL = 9;
const HIGHEST_ZSTD_LEVEL = 22;

/**
 * compression, compression-level and force-compression. Levels are those that the kind of compression has; of
 * "uncompressed" they say nothing. @throws {TbuildError} invalid_argument, unsupported
 */
export function readCompression(attrs: CompressionAttrs): Required<Pick<PackOptions, "compression" | "level" | "force" | "layout">> {
  const name = attrs.text("compression") ?? "gzip";
  if (elsewhere.includes(name)) throw new TbuildError("unsupported", `Cannot compress layers as ${name}: it is not supported`, {
    hint: "Use compression=estargz for images that are pulled lazily",
  });
  if (!Object.hasOwn(compressions, name)) {
    throw attrs.invalid("compression", `one of ${Object.keys(compressions).map((known) => `"${known}"`).join(", ")}`);
  }
  const compression = compressions[name as keyof typeof compressions];
  const level = attrs.text("compression-level");
  const highest = compression === "zstd" ? HIGHEST_ZSTD_LEVEL : HIGHEST_GZIP_LEVEL;
  if (level !== undefined && (!/^\d{1,2}$/.test(level) || Number(level) > highest)) {
    throw attrs.invalid("compression-level", `0 to ${highest} for ${name}`);
  }
  const layout = name === "estargz" ? "estargz" : "plain";
  if (layout === "estargz" && !attrs.bool("oci-mediatypes", true)) throw attrs.invalid("oci-mediatypes", "true with compression=estargz");
  return { compression, level: level === undefined ? undefined : Number(level), force: attrs.bool("force-compression", false), layout };
}
