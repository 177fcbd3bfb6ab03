import type { ContainerConfig, ImageConfig } from "../../cache/oci/descriptor.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { FrontendOptions } from "../options.js";
import { cleanPath } from "./contextPaths.js";
import { formatEnv, parseEnv, setEnv } from "./scopeEnv.js";

/** PATH of an image that sets none. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Config of `FROM scratch`. */
export function scratchImage(platform: Platform): ImageConfig {
  return { ...platform, config: { WorkingDir: "/" }, rootfs: { type: "layers", diff_ids: [] }, history: [] };
}

/**
 * What a stage starts with: the base's config without its triggers, PATH set, the working directory absolute. Windows has a PATH
 * of its own, and paths with drive letters.
 */
export function inheritImage(base: ImageConfig): ImageConfig {
  const { OnBuild: _triggers, ...config } = base.config ?? {};
  if (base.os === "windows") return { ...base, config };
  const dir = config.WorkingDir ? { WorkingDir: absolute(config.WorkingDir) } : {};
  return { ...base, config: { ...config, ...dir, Env: withPath(config.Env ?? []) } };
}

/** The finished config: for the target platform, with the labels that the user gave. Layers are joined later, and a time if `created` is null. */
export function finishImage(image: ImageConfig, created: string | null, options: FrontendOptions): ImageConfig {
  const { variant: own, "os.version": ownVersion, ...rest } = image;
  const { os, architecture, variant: asked, "os.version": askedVersion } = options.platform;
  const same = image.os === os && image.architecture === architecture;
  const version = askedVersion ?? (same ? ownVersion : undefined);
  const variant = asked ?? (same ? normalVariant(architecture, own) : undefined);
  return {
    ...(created === null ? undated(rest) : { ...rest, created }),
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version }),
    config: withLabels(image.config ?? {}, options.labels),
    rootfs: { type: "layers", diff_ids: [] },
  };
}

function undated({ created: _created, ...image }: ImageConfig): ImageConfig {
  return image;
}

function withLabels(config: ContainerConfig, labels: ReadonlyMap<string, string>): ContainerConfig {
  return labels.size === 0 ? config : { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } };
}

function withPath(env: readonly string[]): readonly string[] {
  const known = parseEnv(env);
  return known.has("PATH") ? env : formatEnv(setEnv(known, "PATH", defaultPath));
}

function absolute(dir: string): string {
  return dir.startsWith("/") ? dir : cleanPath(`/${dir}`);
}

function normalVariant(architecture: string, variant: string | undefined): string | undefined {
  return architecture === "arm64" && variant === "v8" ? undefined : variant;
}
