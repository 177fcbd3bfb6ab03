import { cancelled, hasCode } from "../../cache/errors.js";
import { parseChallenges } from "./challenge.js";
import type { CredentialStore, Credentials, TokenRequest } from "./credentials.js";
import { badAnswer, unauthorized, unreachableRegistry, type LoginShown, type RegistryTarget } from "./errors.js";
import { readBody, type HttpRequest, type HttpResponse, type HttpTransport } from "./http.js";
import { broken, mayPass } from "./outcome.js";
import { retryAfterMs, withRetries, type Outcome, type RetryOptions } from "./retry.js";

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
    opts: AuthOpts,
  ): Promise<string | null>;
  /** Whether a login was shown to this host, or to its token server. */
  loginOf(host: string): LoginShown;
  /** Text that came from outside, without the secrets that were sent there. */
  conceal(text: string): string;
}

/** Options of {@link Authenticator.answer}. */
export type AuthOpts = Pick<RetryOptions, "signal" | "onRetry">;

const TOKEN_LIMIT = 1 << 20;
const TOKEN_ATTEMPTS = 5;

/** An authenticator that takes credentials from `credentials` and fetches tokens through `transport`. */
export function createAuthenticator(transport: HttpTransport, credentials: CredentialStore): Authenticator {
  const headers = new Map<string, string>();
  const flights = new Map<string, Promise<string | null>>();
  const shown = new Set<string>();
  const secrets = new Set<string>();
  const keyOf = (host: string, { repository, actions, from = "" }: Scope) => `${host} ${repository} ${actions} ${from}`;

  function remember(...texts: readonly string[]): void {
    for (const text of texts) if (text !== "") secrets.add(text);
  }
  async function fetchHeader(challenge: string, target: RegistryTarget, scope: Scope, opts: AuthOpts): Promise<string | null> {
    const offers = parseChallenges(challenge);
    const bearer = offers.find(({ scheme }) => scheme === "bearer");
    const { realm = "", service = "" } = bearer?.params ?? {};
    const ready = bearer && (await credentials.token?.({ host: target.host, realm, service, scopes: scopesOf(scope) }, opts));
    if (typeof ready === "string") return `Bearer ${ready}`;
    const held = await credentials.get(target.host);
    if (held !== null) {
      shown.add(target.host);
      remember(...(held.kind === "password" ? [held.password, basic(held).slice("Basic ".length)] : [held.token]));
    }
    if (held?.kind === "bearer") return `Bearer ${held.token}`;
    if (bearer !== undefined) return `Bearer ${await fetchToken(transport, { realm, service, scopes: scopesOf(scope) }, target, held, opts)}`;
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
      if (header !== null) {
        headers.set(key, header);
        remember(header.slice(header.indexOf(" ") + 1));
      }
      return header === refused ? null : header;
    },
    loginOf: (host) => (shown.has(host) ? "shown" : "none"),
    conceal: (text) => [...secrets].reduce((left, secret) => left.replaceAll(secret, "***"), text),
  };
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/**
 * Asks a registry's token server for a token, with the login that is held for it, if any. Source: distribution,
 * docs/spec/auth/token.md and oauth.md. @throws {TbuildError} unauthorized, unavailable
 */
export async function fetchToken(
  transport: HttpTransport,
  { realm: server, service, scopes }: Omit<TokenRequest, "host">,
  target: RegistryTarget,
  held: Credentials | null,
  opts: AuthOpts,
): Promise<string> {
  const login = held === null ? "none" : "shown";
  const realm = URL.canParse(server) ? new URL(server) : null;
  if (realm === null || !/^https?:$/.test(realm.protocol)) throw unauthorized(target, WHAT, "the registry names no token server", login);
  const request = tokenRequest(realm, { service, scopes }, held);
  // What is wrong with the connection is wrong with this host; who may log in is the registry's to say.
  const asked = { ...target, host: realm.host };
  const attempt = async (): Promise<Outcome<string>> => {
    try {
      const response = await transport.request(request, opts);
      const body = await readBody(response, TOKEN_LIMIT);
      if (response.status !== 401 && response.status !== 403) return tokenOf(asked, response, body);
    } catch (error) {
      if (opts.signal?.aborted) throw cancelled(opts.signal);
      if (hasCode(error, "resource_exhausted")) throw badAnswer(asked, WHAT, `larger than ${TOKEN_LIMIT} bytes`);
      return broken(asked, WHAT, error);
    }
    throw unauthorized(target, WHAT, held === null ? "it gives none without a login" : "it refused the login", login);
  };
  return await withRetries(attempt, { attempts: TOKEN_ATTEMPTS, ...opts });
}

const WHAT = "a token";

function tokenOf(server: RegistryTarget, { status, headers }: HttpResponse, body: Buffer): Outcome<string> {
  const token = status === 200 ? tokenIn(body) : undefined;
  if (token !== undefined) return { kind: "done", value: token };
  const reason = status === 200 ? "the token server's answer holds no token" : `the token server answered ${status}`;
  const error = unreachableRegistry(server, WHAT, new Error(reason));
  if (!mayPass(status)) throw error;
  return { kind: "again", error, afterMs: retryAfterMs(headers["retry-after"]) };
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
    return { method: "POST", url: realm, headers, body: new URLSearchParams(form).toString(), secret: true };
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
