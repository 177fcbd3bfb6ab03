import type { SourceRange } from "../../cache/errors.js";
import { type Platform, formatPlatform, parsePlatform } from "../../cache/oci/platform.js";
import { badValue, located, unsupported } from "./errors.js";
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
 * @throws {TbuildError} invalid_argument; unsupported for Windows
 */
export function knownPlatform(text: string, at: SourceRange): Platform {
  const platform = located(at, () => parsePlatform(text));
  const { os, architecture } = platform;
  const near = { os: suggest(os, SYSTEMS) ?? os, architecture: suggest(architecture, ARCHITECTURES) ?? architecture };
  const meant = { ...platform, ...near };
  if (meant.os !== os || meant.architecture !== architecture) {
    throw badValue("a platform", text, at, `Did you mean "${formatPlatform(meant)}"?`);
  }
  refuseWindows(platform, at);
  return platform;
}

/** @throws {TbuildError} unsupported for Windows */
export function refuseWindows(platform: Platform, at: SourceRange): void {
  if (platform.os !== "windows") return;
  throw unsupported(`the platform "${formatPlatform(platform)}"`, at, "Only Linux images can be built");
}
