import { isTbuildError } from "../../../cache/errors.js";
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../../../cache/oci/platform.js";
import type { Warning } from "../../../solver/progress.js";

/** What a frontend's result has otherwise than the platforms that were asked for, "linux/amd64,linux/arm64"; "" is this machine's. Source: BuildKit, exporter/verifier. */
export function platformWarnings(asked: string, made: readonly Platform[], isIndex: boolean): readonly Warning[] {
  const wanted: string[] = [];
  for (const text of (asked === "" ? formatPlatform(hostPlatform()) : asked).split(",")) {
    const platform = normal(text);
    if (typeof platform !== "string") return [warning(`Invalid platform result requested "${text}": ${platform.message}`)];
    if (wanted.includes(platform)) return [warning(`Duplicate platform result requested "${text}"`)];
    wanted.push(platform);
  }
  const got = made.map(formatPlatform);
  if (!isIndex && wanted.length > 1) return [warning("Multiple platforms requested but result is not multi-platform")];
  if (wanted.length === got.length && got.every((platform) => wanted.includes(platform))) return [];
  if (wanted.length === 1 && got.length === 1) return [warning(`Requested platform "${wanted[0]}" does not match result platform "${got[0]}"`)];
  return [warning(`Requested platforms ${wanted.join(",")} do not match result platforms ${got.join(",")}`)];
}

function normal(text: string): string | Error {
  try {
    return formatPlatform(parsePlatform(text));
  } catch (error) {
    if (isTbuildError(error)) return error;
    throw error;
  }
}

function warning(message: string): Warning {
  return { rule: null, message, detail: "", url: null, at: null };
}
