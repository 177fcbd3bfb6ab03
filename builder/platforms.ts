import { TbuildError } from "../cache/errors.js";
import { formatPlatform, hostPlatform, type Platform } from "../cache/oci/platform.js";
import type { RootKind } from "./image/packed.js";
import type { BuildRequest } from "./request.js";

/** Platforms to build for, in the order asked for, each once: this machine's when none is asked for. */
export function targetPlatforms({ platforms = [] }: Pick<BuildRequest, "platforms">): readonly Platform[] {
  const asked = platforms.length === 0 ? [hostPlatform()] : platforms;
  return [...new Map(asked.map((platform) => [formatPlatform(platform), platform])).values()];
}

/** Build argument that asks for an index even of one platform. */
const MULTI_PLATFORM = "BUILDKIT_MULTI_PLATFORM";

/**
 * What the name of a result stands for: an index of several platforms, or when BUILDKIT_MULTI_PLATFORM says so.
 * @throws {TbuildError} invalid_argument when it is no boolean, or forbids the index of several platforms
 */
export function rootKind(request: Pick<BuildRequest, "platforms" | "buildArgs">): RootKind {
  const isSeveral = targetPlatforms(request).length > 1;
  const text = request.buildArgs?.[MULTI_PLATFORM] ?? "";
  const isAsked = text === "" ? isSeveral : parseBoolean(text);
  if (isSeveral && !isAsked) {
    throw new TbuildError("invalid_argument", `Cannot build for several platforms: ${MULTI_PLATFORM}=${text} allows only one`);
  }
  return isAsked ? "index" : "manifest";
}

function parseBoolean(text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new TbuildError("invalid_argument", `Cannot use ${MULTI_PLATFORM}=${text}: it must be true or false`);
}
