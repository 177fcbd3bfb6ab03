import type { TbuildError } from "../../cache/errors.js";
import type { PackOptions } from "../image/packed.js";

/** What is asked of an export's attributes; see Attrs. */
interface CompressionAttrs {
  text(key: string): string | undefined;
  bool(key: string, fallback: boolean): boolean;
  invalid(key: string, expected: string): TbuildError;
}

const compressions = { uncompressed: "none", gzip: "gzip", zstd: "zstd" } as const;

const HIGHEST_GZIP_LEVEL = 9;
const HIGHEST_ZSTD_LEVEL = 22;

/**
 * compression, compression-level and force-compression. Levels are those that the kind of compression has; of
 * "uncompressed" they say nothing. @throws {TbuildError} invalid_argument
 */
export function readCompression(attrs: CompressionAttrs): Required<Pick<PackOptions, "compression" | "level" | "force">> {
  const name = attrs.text("compression") ?? "gzip";
  if (!Object.hasOwn(compressions, name)) {
    throw attrs.invalid("compression", `one of ${Object.keys(compressions).map((known) => `"${known}"`).join(", ")}`);
  }
  const compression = compressions[name as keyof typeof compressions];
  const level = attrs.text("compression-level");
  const highest = compression === "zstd" ? HIGHEST_ZSTD_LEVEL : HIGHEST_GZIP_LEVEL;
  if (level !== undefined && (!/^\d{1,2}$/.test(level) || Number(level) > highest)) {
    throw attrs.invalid("compression-level", `0 to ${highest} for ${name}`);
  }
  return { compression, level: level === undefined ? undefined : Number(level), force: attrs.bool("force-compression", false) };
}
