import { pipeline, type Readable } from "node:stream";
import { TbuildError, cancelled, isTbuildError } from "../../cache/errors.js";
import type { ContentStore, Opts } from "../../cache/content/store.js";
import type { Digest } from "../../cache/oci/digest.js";
import { isRedirectError, redactUrl, type HttpResponse, type HttpTransport } from "../registry/http.js";
import { retryAfterMs, withRetries, type Outcome } from "../registry/retry.js";
import { type PartialFile, partialFile } from "./partialFile.js";

/** A file that was downloaded; plain data, kept to ask the server later whether it is still current. */
export interface Download {
  readonly digest: Digest;
  /** Last component of a path; never empty, "." or "..". */
  readonly filename: string;
  /** Last-Modified in seconds since the epoch; 0 when the server did not say. */
  readonly mtime: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Options of {@link download}. */
export interface DownloadOptions extends Opts {
  /** What we have of this URL, its bytes still in the content store. */
  readonly known: Download | null;
  readonly maxBytes: number;
  /** Further headers, such as "authorization". */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes so far, and all; 0 when the server does not say how many. */
  readonly progress: (bytes: number, total: number) => void;
}

const ATTEMPTS = 4;

/**
 * Brings the bytes behind a URL into the content store, or returns `known` itself when the server says that it is current.
 * A download that breaks off goes on where it was, where the server can do that.
 * @throws {TbuildError} not_found, unauthorized, unavailable, resource_exhausted, cancelled
 */
export async function download(
  transport: HttpTransport,
  content: ContentStore,
  url: URL,
  options: DownloadOptions,
): Promise<Download> {
  await using partial = partialFile(content);
  return await withRetries(() => attempt(transport, partial, url, options), { attempts: ATTEMPTS, signal: options.signal });
}

async function attempt(transport: HttpTransport, partial: PartialFile, url: URL, options: DownloadOptions): Promise<Outcome<Download>> {
  try {
    if (partial.bytes === 0 && (await isCurrent(transport, url, options))) return { kind: "done", value: options.known! };
    const headers = { ...headersFor(url, options), ...partial.resumeHeaders() };
    const response = await transport.request({ method: "GET", url: withoutLogin(url), headers }, options);
    if (response.status === 304 && options.known !== null) {
      response.body.resume();
      return { kind: "done", value: options.known };
    }
    if (response.status !== 200 && response.status !== 206) return refusal(url, response);
    return { kind: "done", value: describe(url, response, await receive(partial, url, response, options)) };
  } catch (error) {
    if (options.signal?.aborted) throw cancelled(options.signal);
    if (isTbuildError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const failure = failed(url, "unavailable", reason, error);
    if (isRedirectError(error)) throw failure;
    return { kind: "again", error: failure, afterMs: null };
  }
}

/** Some servers have etags, and send the file all the same when it has the one that is asked about. Source: BuildKit, source/http. */
async function isCurrent(transport: HttpTransport, url: URL, options: DownloadOptions): Promise<boolean> {
  const { known } = options;
  if (!known?.etag) return false;
  const { status, headers, body } = await transport.request({ method: "HEAD", url: withoutLogin(url), headers: headersFor(url, options) }, options);
  body.resume();
  return headers.etag === undefined ? status === 304 : headers.etag === known.etag && (status === 200 || status === 304);
}

/** Servers that treat BuildKit in a way of its own are to treat us so. */
const AGENT = "tbuild (like buildkit/v0)";

/** Servers may have another etag for each encoding: the one that is asked for is always the same, and undone at once. */
function headersFor(url: URL, { known, headers }: DownloadOptions): Record<string, string> {
  const login = url.username === "" ? {} : {
    authorization: `Basic ${btoa(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`)}`,
  };
  const etag = known?.etag ? { "if-none-match": known.etag } : {};
  const since = known?.lastModified ? { "if-modified-since": known.lastModified } : {};
  return { accept: "*/*", "accept-encoding": "gzip", "user-agent": AGENT, ...login, ...headers, ...etag, ...since };
}

function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare;
}

async function receive(partial: PartialFile, url: URL, response: HttpResponse, { maxBytes, progress }: DownloadOptions): Promise<Digest> {
  const { status, headers } = response;
  const isEncoded = /^gzip$/i.test(headers["content-encoding"] ?? "");
  // Of what is encoded no part can be asked for: offsets are those of the encoding.
  if (!(await partial.begin(status, isEncoded ? {} : headers))) {
    response.body.destroy();
    throw new Error("the server sent another part of the file than the one asked for");
  }
  const total = isEncoded ? 0 : partial.bytes + Number(headers["content-length"] ?? 0);
  const body = isEncoded ? await decoded(response.body) : response.body;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (partial.bytes + chunk.length > maxBytes || total > maxBytes) throw failed(url, "resource_exhausted", `larger than ${maxBytes} bytes`);
    await partial.write(chunk);
    progress(partial.bytes, total);
  }
  return await partial.commit();
}

async function decoded(body: Readable): Promise<Readable> {
  const { createGunzip } = await import("node:zlib");
  const gunzip = createGunzip();
  // Whoever reads hears of both.
  pipeline(body, gunzip, () => {});
  return gunzip;
}

function describe(url: URL, { headers, url: final }: HttpResponse, digest: Digest): Download {
  const lastModified = headers["last-modified"] ?? null;
  const time = lastModified === null ? NaN : Date.parse(lastModified);
  return {
    digest,
    filename: fileNameOf(url, headers["content-disposition"], final),
    mtime: Number.isNaN(time) ? 0 : Math.floor(time / 1000),
    etag: headers.etag ?? null,
    lastModified,
  };
}

/**
 * Name for a downloaded file: what the server says, else the last part of the URL's path, else that of the URL that it was
 * redirected to, else "download". Only the last component counts, so that no server chooses another directory.
 */
export function fileNameOf(url: URL, disposition: string | undefined, final?: URL): string {
  const [, encoded] = /filename\*\s*=\s*UTF-8''([^;\s]+)/i.exec(disposition ?? "") ?? [];
  const [, quoted, bare] = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition ?? "") ?? [];
  const given = encoded === undefined ? (quoted?.replaceAll(/\\(.)/g, "$1") ?? bare) : decode(encoded);
  const candidates = [given, decode(url.pathname), final === undefined ? undefined : decode(final.pathname)];
  return candidates.map(lastComponent).find((name) => name !== null) ?? "download";
}

function lastComponent(name: string | undefined): string | null {
  const last = name?.split(/[/\\]/).at(-1) ?? "";
  return last === "" || last === "." || last === ".." || last.includes("\0") ? null : last;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refusal(url: URL, response: HttpResponse): Outcome<never> {
  const { status, headers } = response;
  response.body.destroy();
  const code = status === 404 || status === 410 ? "not_found" : status === 401 || status === 403 ? "unauthorized" : "unavailable";
  const error = failed(url, code, `the server answered ${status}`);
  if (status !== 429 && status < 500) throw error;
  return { kind: "again", error, afterMs: retryAfterMs(headers["retry-after"]) };
}

function failed(url: URL, code: TbuildError["code"], reason: string, cause?: unknown): TbuildError {
  return new TbuildError(code, `Cannot download "${redactUrl(url)}": ${reason}`, { cause });
}
