import { TbuildError } from "../errors.js";

/** Where an image runs. Values are normalised (`amd64`, `arm64`, `arm` + variant `v7`). Source: OCI image-spec image-index.md. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const ARCH_ALIASES: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  i386: ["386"],
  i686: ["386"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
};

const PART = /^[A-Za-z0-9_.-]+$/;

/**
 * Parses `os[/arch[/variant]]` or a bare architecture, and normalises it. What is left out comes from `local`. Behind the os
 * may stand its version: `windows(10.0.20348.1006)/amd64`. Source: containerd, platforms.Parse.
 * @throws {TbuildError} invalid_argument
 */
export function parsePlatform(text: string, local: Platform = hostPlatform()): Platform {
  const [, named = "", version] = /^([^(]*)\(([\w.-]+)\)(?=\/|$)/.exec(text) ?? [];
  const platform = parsePlain(version === undefined ? text : named + text.slice(named.length + version.length + 2), local, text);
  return version === undefined ? platform : { ...platform, "os.version": version };
}

function parsePlain(plain: string, local: Platform, text: string): Platform {
  const parts = plain.split("/");
  if (parts.length > 3 || parts.some((part) => !PART.test(part))) throw badPlatform(text);
  const [first, second, third] = parts as [string, string?, string?];
  if (second === undefined) return isOs(first) ? { ...local, os: normaliseOs(first) } : normalise(local.os, first, undefined);
  return normalise(first, second, third);
}

/** `os/arch[/variant]`, with the version of the os behind it where there is one. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, "os.version": version } = platform;
  const system = version === undefined ? os : `${os}(${version})`;
  return variant === undefined ? `${system}/${architecture}` : `${system}/${architecture}/${variant}`;
}

/** The platform that this process runs on. */
export function hostPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  return normalise("linux", names[process.arch] ?? process.arch, undefined);
}

/** True when both name the same platform; arm64 and arm64/v8 are the same. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && (a.variant ?? "") === (b.variant ?? "");
}

/**
 * How well an image for `have` serves a request for `want`: 0 not at all, higher is better.
 * An exact match is best; lower arm and amd64 variants run on higher ones. A version of Windows is served by its own builds
 * only. Source: containerd, platforms.Only.
 */
export function platformScore(want: Platform, have: Platform): number {
  const offered = normalise(have.os, have.architecture, have.variant);
  if (offered.os !== want.os || offered.architecture !== want.architecture) return 0;
  if (want.os === "windows" && !sameBuild(want["os.version"], have["os.version"])) return 0;
  const wanted = variantLevel(want);
  const given = variantLevel(offered);
  return given > wanted ? 0 : 100 - (wanted - given);
}

/** Compares major, minor and build; what is not asked for is as one likes. */
function sameBuild(want: string | undefined, have: string | undefined): boolean {
  const build = (version: string) => version.split(".").slice(0, 3).join(".");
  return want === undefined || build(want) === build(have ?? "");
}

function variantLevel(platform: Platform): number {
  const fallback = platform.architecture === "arm" ? 7 : platform.architecture === "arm64" ? 8 : 1;
  const match = /^v(\d+)/.exec(platform.variant ?? "");
  return match === null ? fallback : Number(match[1]);
}

function normalise(os: string, arch: string, variant: string | undefined): Platform {
  const lower = arch.toLowerCase();
  const [architecture, implied] = ARCH_ALIASES[lower] ?? [lower];
  const kept = dropDefaultVariant(architecture, normaliseVariant(variant) ?? implied);
  return { os: normaliseOs(os), architecture, ...(kept === undefined ? {} : { variant: kept }) };
}

function normaliseVariant(variant: string | undefined): string | undefined {
  if (variant === undefined || variant === "") return undefined;
  const lower = variant.toLowerCase();
  return /^\d/.test(lower) ? `v${lower}` : lower;
}

function dropDefaultVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === "arm64" && variant === "v8") return undefined;
  if (architecture === "amd64" && variant === "v1") return undefined;
  if (architecture === "arm" && variant === undefined) return "v7";
  return variant;
}

function normaliseOs(os: string): string {
  const lower = os.toLowerCase();
  return lower === "macos" ? "darwin" : lower;
}

function isOs(text: string): boolean {
  return ["linux", "windows", "darwin", "macos", "freebsd", "wasi"].includes(text.toLowerCase());
}

function badPlatform(text: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot parse platform "${text}"`, {
    hint: 'A platform is written os/arch[/variant], for example "linux/arm64" or "linux/arm/v7"',
  });
}
