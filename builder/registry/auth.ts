import type { Opts } from "../../cache/content/store.js";
import { isTbuildError } from "../../cache/errors.js";
import { parseChallenges, type Challenge } from "./challenge.js";
import type { CredentialStore, Credentials } from "./credentials.js";
import { unauthorized, unreachableRegistry, type RegistryTarget } from "./errors.js";
import { readBody, type HttpRequest, type HttpTransport } from "./http.js";

/** What a token must allow. */
export interface Scope {
  /** "library/nginx"; empty when it is only asked who we are. */
  readonly repository: string;
  readonly actions: "pull" | "pull,push";
  /** Another repository that may be pulled from as well, for a mount. */
  readonly from?: string | undefined;
}

/** Remembers the Authorization header that each host and scope wants. */
export interface Authenticator {
  /** The header that worked last; undefined before the first challenge. */
  known(host: string, scope: Scope): string | undefined;
  /**
   * Header that answers a 401 of `target.host`, or null when the challenge is one that nobody can answer.
   * `refused` is the header that the server did not accept. Concurrent questions for one scope ask once.
   * @throws {TbuildError} unauthorized, unavailable
   */
  answer(
    challenge: string,
    target: RegistryTarget,
    scope: Scope,
    refused: string | undefined,
    opts: Opts,
  ): Promise<string | null>;
}

const TOKEN_LIMIT = 1 << 20;

/** An authenticator that takes credentials from `credentials` and fetches tokens through `transport`. */
export function createAuthenticator(transport: HttpTransport, credentials: CredentialStore): Authenticator {
  const headers = new Map<string, string>();
  const flights = new Map<string, Promise<string | null>>();
  const keyOf = (host: string, { repository, actions, from = "" }: Scope) => `${host} ${repository} ${actions} ${from}`;

  async function fetchHeader(challenge: string, target: RegistryTarget, scope: Scope, opts: Opts): Promise<string | null> {
    const offers = parseChallenges(challenge);
    const bearer = offers.find(({ scheme }) => scheme === "bearer");
    const { realm = "", service = "" } = bearer?.params ?? {};
    const ready = bearer && (await credentials.token?.({ host: target.host, realm, service, scopes: scopesOf(scope) }, opts));
    if (typeof ready === "string") return `Bearer ${ready}`;
    const held = await credentials.get(target.host);
    if (held?.kind === "bearer") return `Bearer ${held.token}`;
    if (bearer !== undefined) return `Bearer ${await fetchToken(transport, bearer, target, scope, held, opts)}`;
    const isBasic = offers.some(({ scheme }) => scheme === "basic");
    return isBasic && held?.kind === "password" ? basic(held) : null;
  }
  return {
    known: (host, scope) => headers.get(keyOf(host, scope)),
    async answer(challenge, target, scope, refused, opts) {
      const key = keyOf(target.host, scope);
      const newer = headers.get(key);
      if (newer !== undefined && newer !== refused) return newer;
      const flight = flights.get(key) ?? fetchHeader(challenge, target, scope, opts).finally(() => flights.delete(key));
      flights.set(key, flight);
      const header = await flight;
      if (header !== null) headers.set(key, header);
      return header === refused ? null : header;
    },
  };
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Source: distribution, docs/spec/auth/token.md and oauth.md. */
async function fetchToken(
  transport: HttpTransport,
  { params }: Challenge,
  target: RegistryTarget,
  scope: Scope,
  held: Credentials | null,
  opts: Opts,
): Promise<string> {
  const realm = URL.canParse(params["realm"] ?? "") ? new URL(params["realm"]!) : null;
  if (realm === null || !/^https?:$/.test(realm.protocol)) throw unauthorized(
    target,
    "a token",
    "the registry names no token server",
  );
  const query = { service: params["service"] ?? "", scopes: scopesOf(scope) };
  const response = await transport.request(tokenRequest(realm, query, held), opts).catch((error: unknown) => {
    throw isTbuildError(error) ? error : unreachableRegistry(target, "a token", error);
  });
  const body = await readBody(response, TOKEN_LIMIT);
  if (response.status === 401 || response.status === 403) {
    throw unauthorized(
      target,
      "a token",
      held === null ? "it gives none without a login" : "it refused the login",
    );
  }
  const token = response.status === 200 ? tokenIn(body) : undefined;
  if (token === undefined) throw unreachableRegistry(
    target,
    "a token",
    new Error(`the token server answered ${response.status}`),
  );
  return token;
}

function scopesOf({ repository, actions, from }: Scope): readonly string[] {
  const own = repository === "" ? [] : [`repository:${repository}:${actions}`];
  return from === undefined ? own : [...own, `repository:${from}:pull`];
}

function tokenRequest(
  realm: URL,
  { service, scopes }: { readonly service: string; readonly scopes: readonly string[] },
  held: Credentials | null,
): HttpRequest {
  if (held?.kind === "identity") {
    const form = { grant_type: "refresh_token", client_id: "tbuild", refresh_token: held.token, service, scope: scopes.join(" ") };
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: new URLSearchParams(form).toString() };
  }
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return { method: "GET", url, headers: held?.kind === "password" ? { authorization: basic(held) } : {} };
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const answer = JSON.parse(body.toString("utf8")) as { token?: unknown; access_token?: unknown };
    const token = answer.token ?? answer.access_token;
    return typeof token === "string" && token !== "" ? token : undefined;
  } catch {
    return undefined;
  }
}
