import { cancelled, isTbuildError, TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import { type HttpRequest, type HttpResponse, type HttpTransport, readBody, redactUrl } from "../registry/http.js";
import { type Outcome, retryAfterMs, withRetries } from "../registry/retry.js";

const ATTEMPTS = 5;

/** Bytes of an error that are shown. */
const SHOWN = 300;

/**
 * Asks a service, again when it is busy or the connection broke. `accept` are statuses besides 2xx that are answers; the body
 * must be read or destroyed. @throws {TbuildError} not_found, unauthorized, unavailable, cancelled; URLs are told without their signatures
 */
export async function callObjects(
  transport: HttpTransport,
  request: () => HttpRequest,
  { signal, accept = [], what }: Opts & { readonly accept?: readonly number[]; readonly what: string },
): Promise<HttpResponse> {
  return await withRetries<HttpResponse>(() => attempt(transport, request(), { signal, accept, what }), { attempts: ATTEMPTS, signal });
}

async function attempt(
  transport: HttpTransport,
  request: HttpRequest,
  { signal, accept, what }: Opts & { readonly accept: readonly number[]; readonly what: string },
): Promise<Outcome<HttpResponse>> {
  try {
    const response = await transport.request(request, { signal });
    const { status, headers } = response;
    if ((status >= 200 && status < 300) || accept.includes(status)) return { kind: "done", value: response };
    const text = await readBody(response, 1 << 16).catch(() => Buffer.alloc(0));
    const error = refusal(status, request, what, text.toString("utf8").replace(/\s+/g, " ").slice(0, SHOWN));
    if (status === 429 || status >= 500) return { kind: "again", error, afterMs: retryAfterMs(headers["retry-after"]) };
    throw error;
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    if (isTbuildError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "again", error: new TbuildError("unavailable", `Cannot ${what} at ${redactUrl(request.url)}: ${reason}`, { cause: error }), afterMs: null };
  }
}

function refusal(status: number, { url }: HttpRequest, what: string, text: string): TbuildError {
  const code = status === 404 ? "not_found" : status === 401 || status === 403 ? "unauthorized" : "unavailable";
  return new TbuildError(code, `Cannot ${what} at ${redactUrl(url)}: status ${status}${text === "" ? "" : `: ${text}`}`);
}
