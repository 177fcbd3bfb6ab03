import { TbuildError } from "../../cache/errors.js";
import type { ContainerConfig } from "../../cache/oci/descriptor.js";
import type { Platform } from "../../cache/oci/platform.js";

const ALLOWED = [
  "CMD",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "ONBUILD",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
];

/**
 * Config of an image that has only these Dockerfile instructions. @throws {TbuildError} parse_failed, invalid_argument for
 * an instruction that makes files
 */
export async function applyChanges(changes: readonly string[], platform: Platform): Promise<ContainerConfig> {
  if (changes.length === 0) return {};
  for (const change of changes) requireAllowed(change);
  const [{ dockerfileToDefinition }, { defaultFrontendOptions }] = await Promise.all([import("../../frontend/mod.js"), import("../../frontend/options.js")]);
  const { image } = await dockerfileToDefinition(["FROM scratch", ...changes, ""].join("\n"), {
    ...defaultFrontendOptions,
    file: "--change",
    platform,
    buildPlatform: platform,
    resolveImage: async () => Promise.reject(new Error("FROM scratch has no image")),
  });
  return image.config ?? {};
}

function requireAllowed(change: string): void {
  const [name = ""] = change.trim().split(/\s/, 1);
  if (ALLOWED.includes(name.toUpperCase()) && !/[\n\r]/.test(change)) return;
  throw new TbuildError("invalid_argument", `Cannot apply change "${change}": not an instruction that changes the config`, {
    hint: `Known are ${ALLOWED.join(", ")}`,
  });
}
