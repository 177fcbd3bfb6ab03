import type { Opts } from "../../cache/content/store.js";
import { createAuthenticator } from "./auth.js";
import type { Credentials, CredentialStore } from "./credentials.js";
import { endpointsOf, tlsSettings, type RegistryConfigs } from "./endpoint.js";
import { createTransport } from "./http.js";
import { apiRoot, createSession } from "./session.js";

/**
 * Asks a registry ("docker.io", "localhost:5000") whether it lets somebody in who shows these credentials. One that asks
 * nobody takes any. @throws {TbuildError} unauthorized, unavailable, cancelled
 */
export async function checkLogin(registry: string, held: Credentials, registries: RegistryConfigs, opts: Opts = {}): Promise<void> {
  const credentials: CredentialStore = { get: async () => held };
  const http = createTransport((host) => tlsSettings(host, registries));
  try {
    const endpoint = endpointsOf(registry, registries).at(-1)!;
    const reference = { registry, repository: "", tag: null, digest: null };
    const call = { reference, method: "GET", path: apiRoot, headers: {}, actions: "pull", what: "the login" } as const;
    const response = await createSession(http, createAuthenticator(http, credentials)).call(endpoint, call, opts);
    response.body.resume();
  } finally {
    http.close();
  }
}
