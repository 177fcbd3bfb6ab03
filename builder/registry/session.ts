import { hasCode, isTbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { Authenticator, Scope } from "./auth.js";
import type { Endpoint } from "./endpoint.js";
import { badStatus, unauthorized, unreachableRegistry, type RegistryTarget } from "./errors.js";
import { readBody, type HttpRequest, type HttpResponse, type HttpTransport } from "./http.js";
import { retryAfterMs, withRetries, type Outcome } from "./retry.js";

/** One call of the distribution API, before it is known which server answers it. */
export interface RegistryCall {
  readonly reference: Reference;
  readonly method: HttpRequest["method"];
  /** Below "/v2/<repository>/": "manifests/v3". */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly actions: Scope["actions"];
  /** What is asked for, as messages say it: "the manifest". */
  readonly what: string;
}

/** Calls one endpoint: credentials, retries and the choice of scheme are dealt with here. */
export interface RegistrySession {
  /**
   * An answer of status 2xx. @throws {TbuildError} not_found, unauthorized, unavailable (after some attempts), cancelled
   */
  call(endpoint: Endpoint, call: RegistryCall, opts: Opts): Promise<HttpResponse>;
}

/** A mirror is not worth waiting for: what it cannot give, the registry can. */
const ATTEMPTS = { mirror: 2, registry: 5 };
const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "ECONNABORTED", "ENETDOWN"]);
const NOT_TLS = /^(?:EPROTO|ECONNRESET|ERR_SSL)/;

/** A session over one transport. It remembers per host whether TLS is spoken there. */
export function createSession(transport: HttpTransport, auth: Authenticator): RegistrySession {
  const plainHosts = new Set<string>();

  /** One exchange over HTTPS or, where allowed and needed, HTTP. Network errors are thrown as they are. */
  async function exchange(
    endpoint: Endpoint,
    call: RegistryCall,
    headers: HttpRequest["headers"],
    opts: Opts,
  ): Promise<HttpResponse> {
    const plain = endpoint.scheme === "http" || plainHosts.has(endpoint.host);
    const request = (scheme: string) => ({ method: call.method, url: urlOf(scheme, endpoint, call), headers });
    if (plain) return await transport.request(request("http"), opts);
    try {
      return await transport.request(request("https"), opts);
    } catch (error) {
      if (endpoint.scheme !== "fallback" || !NOT_TLS.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
      const response = await transport.request(request("http"), opts);
      plainHosts.add(endpoint.host);
      return response;
    }
  }
  async function authorised(endpoint: Endpoint, call: RegistryCall, opts: Opts): Promise<HttpResponse> {
    const scope = { repository: call.reference.repository, actions: call.actions };
    const known = auth.known(endpoint.host, scope);
    const first = await exchange(endpoint, call, withAuthorization(call.headers, known), opts);
    if (first.status !== 401) return first;
    const challenge = [first.headers["www-authenticate"] ?? ""].flat().join(", ");
    first.body.destroy();
    const target = targetOf(endpoint, call);
    const answer = await auth.answer(challenge, target, scope, known, opts);
    if (answer === null) throw unauthorized(target, call.what, "the registry wants a login");
    return await exchange(endpoint, call, withAuthorization(call.headers, answer), opts);
  }
  async function attempt(endpoint: Endpoint, call: RegistryCall, opts: Opts): Promise<Outcome<HttpResponse>> {
    const target = targetOf(endpoint, call);
    let response: HttpResponse;
    try {
      response = await authorised(endpoint, call, opts);
    } catch (error) {
      if (isTbuildError(error)) throw error;
      return passing(error, unreachableRegistry(target, call.what, error));
    }
    if (response.status < 300) return { kind: "done", value: response };
    const error = badStatus(target, call.what, response.status, await serverMessage(response));
    if (!PASSING_STATUS.has(response.status)) throw error;
    return { kind: "again", error, afterMs: retryAfterMs(response.headers["retry-after"]) };
  }
  return {
    call: (endpoint, call, opts) =>
      withRetries(() => attempt(endpoint, call, opts), {
        attempts: endpoint.mirrorOf === null ? ATTEMPTS.registry : ATTEMPTS.mirror,
        signal: opts.signal,
      }),
  };
}

/** Asks each endpoint in turn until one can give what is asked; the error is that of the last, the registry itself. */
export async function firstOf<T>(endpoints: readonly Endpoint[], ask: (endpoint: Endpoint) => Promise<T>): Promise<T> {
  let last: unknown = new Error("no endpoint");
  for (const endpoint of endpoints) {
    try {
      return await ask(endpoint);
    } catch (error) {
      if (hasCode(error, "cancelled") || !isTbuildError(error)) throw error;
      last = error;
    }
  }
  throw last;
}

/** Who is asked for what, for messages. */
export function targetOf(endpoint: Endpoint, { reference }: Pick<RegistryCall, "reference">): RegistryTarget {
  return { reference, host: endpoint.host };
}

function urlOf(scheme: string, endpoint: Endpoint, { reference, path }: RegistryCall): URL {
  const url = new URL(`${scheme}://${endpoint.host}${endpoint.prefix}/${reference.repository}/${path}`);
  if (endpoint.mirrorOf !== null) url.searchParams.set("ns", endpoint.mirrorOf);
  return url;
}

function withAuthorization(headers: HttpRequest["headers"], value: string | undefined): HttpRequest["headers"] {
  return value === undefined ? headers : { ...headers, authorization: value };
}

function passing(cause: unknown, error: ReturnType<typeof unreachableRegistry>): Outcome<never> {
  if (!PASSING_CODES.has((cause as NodeJS.ErrnoException).code ?? "")) throw error;
  return { kind: "again", error, afterMs: null };
}

/** The registry's own words, on one line and short. Source: distribution spec "Error Codes". */
async function serverMessage(response: HttpResponse): Promise<string> {
  try {
    const body = JSON.parse(
      (await readBody(response, 64 * 1024)).toString("utf8"),
    ) as { errors?: { code?: string; message?: string }[] };
    const [first] = body.errors ?? [];
    return (first?.message ?? first?.code ?? "").replaceAll(/\p{Cc}+/gu, " ").slice(0, 200);
  } catch {
    return "";
  }
}
