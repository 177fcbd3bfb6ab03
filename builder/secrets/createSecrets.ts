import type { SecretSpec } from "../request.js";
import type { SecretStore } from "./secretStore.js";

/** The secrets that a build was given. */
export function createSecrets(specs: readonly SecretSpec[]): SecretStore {
  void specs;
  return { get: () => null, known: () => [], findIn: () => null };
}
