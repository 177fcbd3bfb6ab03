import type { Opts } from "../../../cache/content/store.js";
import { parseChallenges } from "../../registry/challenge.js";
import { endpointsOf, type RegistryConfigs } from "../../registry/endpoint.js";
import type { HttpTransport } from "../../registry/http.js";

/** What registries say of logins, asked from this machine, where nobody between can answer for them. */
export interface RegistryWords {
  /**
   * Token servers that a registry names; none: it takes passwords, or asks for nothing. Null when it does not answer.
   * A registry is asked once.
   */
  realms(host: string, opts: Opts): Promise<readonly string[] | null>;
}

/** Asks registries through `transport`. */
export function registryWords(registries: RegistryConfigs, transport: HttpTransport): RegistryWords {
  const known = new Map<string, Promise<readonly string[] | null>>();
  return {
    realms(host, opts) {
      const asked = known.get(host) ?? ask(host, registries, transport, opts);
      known.set(host, asked);
      return asked;
    },
  };
}

async function ask(host: string, registries: RegistryConfigs, transport: HttpTransport, opts: Opts): Promise<readonly string[] | null> {
  const registry = host === "registry-1.docker.io" ? "docker.io" : host;
  const endpoint = endpointsOf(registry, registries).at(-1)!;
  for (const scheme of endpoint.scheme === "fallback" ? ["https", "http"] : [endpoint.scheme]) {
    try {
      const url = new URL(`${scheme}://${endpoint.host}${endpoint.prefix}/`);
      const { headers, body } = await transport.request({ method: "GET", url, headers: {} }, opts);
      body.resume();
      const challenges = parseChallenges([headers["www-authenticate"] ?? ""].flat().join(", "));
      return challenges.flatMap(({ scheme: kind, params }) => (kind === "bearer" ? (params["realm"] ?? []) : []));
    } catch {
      continue;
    }
  }
  return null;
}
