import { hasCode, isTbuildError, type TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { Authenticator, Scope } from "./auth.js";
import type { Endpoint } from "./endpoint.js";
import { badStatus, unauthorized, type RegistryTarget } from "./errors.js";
import type { HttpRequest, HttpResponse, HttpTransport, RequestBody } from "./http.js";
import { broken, mayPass, serverMessage } from "./outcome.js";
import { retryAfterMs, withRetries, type OnRetry, type Outcome } from "./retry.js";

/** A path that is of no repository: "/v2/", which asks whether we are let in. */
export const apiRoot = Symbol("apiRoot");

/** One call of the distribution API, before it is known which server answers it. */
export interface RegistryCall {
  readonly reference: Reference;
  readonly method: HttpRequest["method"];
  /** Below "/v2/<repository>/": "manifests/v3". Or an address that the registry gave, such as that of an upload. */
  readonly path: string | URL | typeof apiRoot;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly actions: Scope["actions"];
  /** See {@link Scope.from}. */
  readonly from?: string | undefined;
  /** What is asked for, as messages say it: "the manifest". */
  readonly what: string;
  /** Statuses besides 2xx that the caller understands. */
  readonly accept?: readonly number[];
}

/** Calls one endpoint: credentials, retries and the choice of scheme are dealt with here. */
export interface RegistrySession {
  /**
   * An answer of status 2xx, or one that the call accepts. @throws {TbuildError} not_found, unauthorized, unavailable (after some attempts), cancelled
   */
  call(endpoint: Endpoint, call: RegistryCall, opts: CallOpts): Promise<HttpResponse>;
  /**
   * One attempt: an answer of any status. @throws {TbuildError} unauthorized, cancelled; network errors as Node gives them
   */
  send(endpoint: Endpoint, call: RegistryCall, opts: CallOpts): Promise<HttpResponse>;
  /** What an answer that is no success means; its body is read. @throws {TbuildError} when asking again would not help */
  refused(target: RegistryTarget, what: string, response: HttpResponse): Promise<Outcome<never>>;
}

/** Options of {@link RegistrySession.call}. */
export interface CallOpts extends Opts {
  readonly onRetry?: OnRetry | undefined;
}

/** A mirror is not worth waiting for: what it cannot give, the registry can. */
const ATTEMPTS = { mirror: 2, registry: 5 };
const LONGEST_WAIT_MS = { mirror: 5_000, registry: undefined };
const NOT_TLS = /^(?:EPROTO|ECONNRESET|ERR_SSL)/;

/** A session over one transport. It remembers per host whether TLS is spoken there. */
export function createSession(transport: HttpTransport, auth: Authenticator): RegistrySession {
  const plainHosts = new Set<string>();
  const tlsHosts = new Set<string>();

  /** One exchange over HTTPS or, where allowed and needed, HTTP. Network errors are thrown as they are. */
  async function exchange(
    endpoint: Endpoint,
    call: RegistryCall,
    headers: HttpRequest["headers"],
    opts: Opts,
  ): Promise<HttpResponse> {
    const plain = endpoint.scheme === "http" || plainHosts.has(endpoint.host);
    const { method, body } = call;
    const request = (scheme: "http" | "https") => {
      return { method, url: urlOf(scheme, endpoint, call), headers, ...(body === undefined ? {} : { body }) };
    };
    if (plain) return await transport.request(request("http"), opts);
    try {
      const response = await transport.request(request("https"), opts);
      tlsHosts.add(endpoint.host);
      return response;
    } catch (error) {
      const mayFallBack = endpoint.scheme === "fallback" && !tlsHosts.has(endpoint.host);
      if (!mayFallBack || !NOT_TLS.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
      const response = await transport.request(request("http"), opts);
      plainHosts.add(endpoint.host);
      return response;
    }
  }
  async function send(endpoint: Endpoint, call: RegistryCall, opts: CallOpts): Promise<HttpResponse> {
    // A token or login of the registry is not for whoever else an upload goes to.
    if (call.path instanceof URL && !isAt(endpoint, call.path)) return await exchange(endpoint, call, call.headers, opts);
    const repository = call.path === apiRoot ? "" : call.reference.repository;
    const scope = { repository, actions: call.actions, from: call.from };
    const known = auth.known(endpoint.host, scope);
    const first = await exchange(endpoint, call, withAuthorization(call.headers, known), opts);
    if (first.status !== 401) return first;
    const challenge = [first.headers["www-authenticate"] ?? ""].flat().join(", ");
    first.body.destroy();
    const target = targetOf(endpoint, call);
    const answer = await auth.answer(challenge, target, scope, known, opts);
    if (answer === null) {
      const login = auth.loginOf(endpoint.host);
      throw unauthorized(target, call.what, login === "none" ? "the registry wants a login" : "the registry refuses the login", login);
    }
    return await exchange(endpoint, call, withAuthorization(call.headers, answer), opts);
  }
  async function attempt(endpoint: Endpoint, call: RegistryCall, opts: CallOpts): Promise<Outcome<HttpResponse>> {
    const target = targetOf(endpoint, call);
    let response: HttpResponse;
    try {
      response = await send(endpoint, call, opts);
    } catch (error) {
      return broken(target, call.what, error);
    }
    const { status } = response;
    const isWelcome = status < 300 || call.accept?.includes(status) === true;
    return isWelcome ? { kind: "done", value: response } : await refusedBy(auth, target, call.what, response);
  }
  return {
    send,
    refused: (target, what, response) => refusedBy(auth, target, what, response),
    call: (endpoint, call, { signal, onRetry }) => {
      const kind = endpoint.mirrorOf === null ? "registry" : "mirror";
      const options = { attempts: ATTEMPTS[kind], longestWaitMs: LONGEST_WAIT_MS[kind], signal, onRetry };
      return withRetries(() => attempt(endpoint, call, { signal, onRetry }), options);
    },
  };
}

async function refusedBy(auth: Authenticator, target: RegistryTarget, what: string, response: HttpResponse): Promise<Outcome<never>> {
  const { status, headers } = response;
  const said = auth.conceal(await serverMessage(response));
  const error = badStatus(target, what, status, said, auth.loginOf(target.host));
  if (!mayPass(status)) throw error;
  return { kind: "again", error, afterMs: retryAfterMs(headers["retry-after"]) };
}

/**
 * Asks each endpoint in turn until one can give what is asked; the error is that of the last, the registry itself.
 * `onFailure` hears why a mirror was passed over, unless it just does not have the image.
 */
export async function firstOf<T>(
  endpoints: readonly Endpoint[],
  ask: (endpoint: Endpoint) => Promise<T>,
  onFailure: (error: TbuildError) => void = () => {},
): Promise<T> {
  let last: unknown = new Error("no endpoint");
  for (const endpoint of endpoints) {
    try {
      return await ask(endpoint);
    } catch (error) {
      if (hasCode(error, "cancelled") || !isTbuildError(error)) throw error;
      if (endpoint.mirrorOf !== null && error.code !== "not_found") onFailure(error);
      last = error;
    }
  }
  throw last;
}

/** Who is asked for what, for messages. */
export function targetOf(endpoint: Endpoint, { reference, actions, path }: Pick<RegistryCall, "reference"> & Partial<RegistryCall>): RegistryTarget {
  const doing = path === apiRoot ? "login" : actions === "pull,push" ? "push" : "get";
  return { reference, host: endpoint.host, doing };
}

function urlOf(scheme: "http" | "https", endpoint: Endpoint, { reference, path }: RegistryCall): URL {
  if (path instanceof URL) return ownUrl(scheme, endpoint, path);
  if (path === apiRoot) return new URL(`${scheme}://${endpoint.host}${endpoint.prefix}/`);
  const url = new URL(`${scheme}://${endpoint.host}${endpoint.prefix}/${reference.repository}/${path}`);
  if (endpoint.mirrorOf !== null) url.searchParams.set("ns", endpoint.mirrorOf);
  return url;
}

function withAuthorization(headers: HttpRequest["headers"], value: string | undefined): HttpRequest["headers"] {
  return value === undefined ? headers : { ...headers, authorization: value };
}

/** A registry behind a proxy that ends TLS may call itself http: our login never goes there in the clear. */
function ownUrl(scheme: "http" | "https", endpoint: Endpoint, given: URL): URL {
  if (scheme !== "https" || !isAt(endpoint, given)) return given;
  const url = new URL(given);
  url.protocol = scheme;
  return url;
}

function isAt({ host }: Endpoint, url: URL): boolean {
  return new URL(`${url.protocol}//${host}`).host === url.host;
}
