import type http from "node:http";
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import type { Readable } from "node:stream";
import { TbuildError, cancelled } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";

/** One HTTP request; redirects are followed, of methods that send a body only those that keep the method. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** The body is for this origin alone: a redirect elsewhere is an answer like any other. */
  readonly secret?: true;
}

/** What is sent. A function opens a fresh pass over bytes whose number the header "content-length" says. */
export type RequestBody = string | Uint8Array | (() => Readable);

/** The answer. The body must be read to its end or destroyed, else its connection is lost to the pool. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where the last redirect led. */
  readonly url: URL;
  readonly body: IncomingMessage;
}

/** What is known of a host's TLS. All values PEM. */
export interface TlsSettings {
  readonly rejectUnauthorized: boolean;
  /** Authorities besides the system's. */
  readonly ca: readonly string[];
  readonly certs: readonly { readonly key: string; readonly cert: string }[];
}

/** Keep-alive connections of one process. Network errors are thrown as Node gives them, an abort as `cancelled`; see also {@link isRedirectError}. */
export interface HttpTransport {
  request(request: HttpRequest, opts?: Opts): Promise<HttpResponse>;
  /** Closes idle connections; those in use end with their bodies. */
  close(): void;
}

const MAX_REDIRECTS = 10;
const IDLE_TIMEOUT_MS = 60_000;
/** A server may hash all of a large upload before it answers. */
const UPLOAD_TIMEOUT_MS = 300_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Those of them after which the same request is sent again. Source: RFC 9110 15.4. */
const SAME_METHOD = new Set([307, 308]);

/** A transport. `tlsOf` answers for a host with port; undefined means the system's defaults. */
export function createTransport(tlsOf: (host: string) => TlsSettings | undefined = () => undefined): HttpTransport {
  const agents = new Map<string, Agent>();

  async function agentFor(url: URL): Promise<Agent> {
    const key = `${url.protocol}//${url.host}`;
    const agent = agents.get(key) ?? (await createAgent(url, tlsOf(url.host)));
    agents.set(key, agent);
    return agent;
  }
  async function request(first: HttpRequest, opts: Opts = {}): Promise<HttpResponse> {
    let current = first;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await send(current, await agentFor(current.url), opts);
      const next = redirectOf(current, response);
      if (next === null) return response;
      response.body.destroy();
      current = next;
    }
    throw redirectError(`more than ${MAX_REDIRECTS} redirects`);
  }
  return { request, close: () => agents.forEach((agent) => agent.destroy()) };
}

/** The URL without user, password and query, which may hold signatures. */
export function redactUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Body as bytes. @throws {TbuildError} resource_exhausted when it is larger than `limit` bytes */
export async function readBody(response: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new TbuildError(
      "resource_exhausted",
      `Cannot read ${redactUrl(response.url)}: larger than ${limit} bytes`,
    );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function createAgent(url: URL, tls: TlsSettings | undefined): Promise<Agent> {
  const common = { keepAlive: true, maxSockets: 16, scheduling: "lifo" as const };
  if (url.protocol === "http:") return new (await import("node:http")).Agent(common);
  const https = await import("node:https");
  if (tls === undefined) return new https.Agent(common);
  const { rootCertificates } = await import("node:tls");
  const ca = tls.ca.length === 0 ? {} : { ca: [...rootCertificates, ...tls.ca] };
  const keys = tls.certs.length === 0 ? {} : { key: tls.certs.map(({ key }) => key), cert: tls.certs.map(({ cert }) => cert) };
  return new https.Agent({ ...common, ...ca, ...keys, rejectUnauthorized: tls.rejectUnauthorized });
}

async function send({ method, url, headers, body }: HttpRequest, agent: Agent, { signal }: Opts): Promise<HttpResponse> {
  if (signal?.aborted) throw cancelled(signal);
  const { request } = (url.protocol === "http:" ? await import("node:http") : await import("node:https")) as typeof http;
  const options: RequestOptions = {
    method,
    headers: { "user-agent": "tbuild", ...headers },
    agent,
    ...(signal ? { signal } : {}),
  };
  return await new Promise((resolve, reject) => {
    const onAnswer = (body: IncomingMessage) => resolve({ status: body.statusCode ?? 0, headers: body.headers, url, body });
    const outgoing = request(url, options, onAnswer);
    const idle = typeof body === "function" ? UPLOAD_TIMEOUT_MS : IDLE_TIMEOUT_MS;
    outgoing.setTimeout(idle, () => outgoing.destroy(timedOut(url, idle)));
    outgoing.on("error", (error) => reject(signal?.aborted ? cancelled(signal) : error));
    if (typeof body === "function") sendStream(body(), outgoing);
    else outgoing.end(body);
  });
}

/** The source is closed however the request ends; an error of the source ends the request. */
function sendStream(source: Readable, outgoing: ClientRequest): void {
  source.on("error", (error) => outgoing.destroy(error));
  outgoing.on("close", () => source.destroy());
  outgoing.on("response", (answer) => {
    // An answer before all was sent is a refusal, or a redirect: the rest would only keep the connection busy.
    if (!outgoing.writableEnded) answer.once("close", () => outgoing.destroy());
  });
  source.pipe(outgoing);
}

/** The request that a redirect asks for. Credentials stay with the origin that they were meant for. */
function redirectOf(request: HttpRequest, { status, headers }: HttpResponse): HttpRequest | null {
  const location = headers.location;
  const allowed = request.method === "GET" || request.method === "HEAD" ? REDIRECTS : SAME_METHOD;
  if (!allowed.has(status) || location === undefined) return null;
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw redirectError("it redirects to an address that is not HTTP");
  }
  if (url.origin !== request.url.origin && request.secret === true) return null;
  return url.origin === request.url.origin ? { ...request, url } : {
    ...request,
    url,
    headers: withoutCredentials(request.headers),
  };
}

function withoutCredentials(headers: HttpRequest["headers"]): HttpRequest["headers"] {
  const secret = new Set(["authorization", "cookie", "proxy-authorization"]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !secret.has(name.toLowerCase())));
}

const REDIRECT = "ERR_TBUILD_REDIRECT";

function redirectError(reason: string): Error {
  return Object.assign(new Error(reason), { code: REDIRECT });
}

/** True when a request ended at a redirect that is not followed: another attempt would end there too. */
export function isRedirectError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === REDIRECT;
}

function timedOut(url: URL, idleMs: number): Error {
  const error: NodeJS.ErrnoException = new Error(`no answer from ${url.host} for ${idleMs / 1000} s`);
  error.code = "ETIMEDOUT";
  return error;
}
