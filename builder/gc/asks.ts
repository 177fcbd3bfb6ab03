import type { GcConfig, SpaceLimits } from "../config.js";

/** Whether a configuration says anything of collection: a command that ends collects only then. */
export function asksForGc({ gc, policies, limits }: GcConfig): boolean {
  return gc && (policies.length > 0 || hasLimits(limits));
}

/** Whether there is any limit. */
export function hasLimits({ reserved, maxUsed, minFree }: SpaceLimits): boolean {
  return reserved !== null || maxUsed !== null || minFree !== null;
}
