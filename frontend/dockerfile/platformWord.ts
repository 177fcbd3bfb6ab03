import type { SourceRange } from "../../cache/errors.js";
import { type Platform, formatPlatform, parsePlatform } from "../../cache/oci/platform.js";
import { badValue, located, refused, unsupported } from "./errors.js";
import { suggest } from "./suggest.js";

const SYSTEMS = ["linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "wasi", "wasip1"];
const ARCHITECTURES = [
  "386",
  "amd64",
  "arm",
  "arm64",
  "loong64",
  "mips",
  "mipsle",
  "mips64",
  "mips64le",
  "ppc64",
  "ppc64le",
  "riscv64",
  "s390x",
  "wasm",
];

/**
 * A platform by name. An unknown one passes unless it is nearly a known one, as lists of platforms grow.
 * @throws {TbuildError} invalid_argument
 */
export function knownPlatform(text: string, at: SourceRange): Platform {
  const platform = located(at, () => parsePlatform(text));
  const { os, architecture } = platform;
  const near = { os: suggest(os, SYSTEMS) ?? os, architecture: suggest(architecture, ARCHITECTURES) ?? architecture };
  const meant = { ...platform, ...near };
  if (meant.os !== os || meant.architecture !== architecture) {
    throw badValue("a platform", text, at, `Did you mean "${formatPlatform(meant)}"?`);
  }
  return platform;
}

/** For instructions that mean something else on Windows. @throws {TbuildError} unsupported for Windows */
export function refuseWindows(what: string, platform: Platform, at: SourceRange): void {
  if (platform.os !== "windows") return;
  throw unsupported(`${what} for the platform "${formatPlatform(platform)}"`, at, "Files can be copied into images for Windows, and their settings changed");
}

/**
 * A path as the file system of a build has it: on Windows without its drive, which is C, and with "/" between its parts.
 * @throws {TbuildError} invalid_argument for another drive
 */
export function plainPath(path: string, platform: Platform, at: SourceRange): string {
  if (platform.os !== "windows") return path;
  const [, drive = "c", rest = ""] = /^(?:([a-z]):)?(.*)$/is.exec(path) ?? [];
  if (drive.toLowerCase() !== "c") throw refused(`Cannot use the path "${path}": an image has only the drive C`, at);
  return rest.replaceAll("\\", "/");
}
