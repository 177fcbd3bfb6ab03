import { hostPlatform, parsePlatform, type Platform } from "../../cache/oci/platform.js";

/**
 * `--platform` values, else $DOCKER_DEFAULT_PLATFORM as Docker has it; "local" is this machine's. None is the builder's default.
 * @throws {TbuildError} invalid_argument
 */
export function parsePlatforms(given: readonly string[], env: NodeJS.ProcessEnv = process.env): readonly Platform[] {
  const named = given.length > 0 ? given : (env["DOCKER_DEFAULT_PLATFORM"] ?? "").split(",").filter((name) => name !== "");
  return named.map((name) => (name === "local" ? hostPlatform() : parsePlatform(name)));
}
