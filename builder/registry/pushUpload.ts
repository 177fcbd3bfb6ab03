import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { hasCode } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { badAnswer, badStatus, type RegistryTarget } from "./errors.js";
import type { HttpResponse } from "./http.js";
import { broken } from "./outcome.js";
import { hasRemoteBlob, pushCall, verifyStored, type PushOpts, type PushPoint } from "./pushPoint.js";
import { retrying, withRetries, type Outcome } from "./retry.js";
import { targetOf } from "./session.js";

/** How far an upload is. */
type UploadState =
  | { readonly phase: "new" }
  /** Begun, and nothing sent: all of it goes in one request. */
  | { readonly phase: "whole"; readonly location: URL }
  /** Sent in parts, from `offset` on. */
  | { readonly phase: "parts"; readonly location: URL; readonly offset: number }
  /** The connection broke: what has come is for the registry to say. */
  | { readonly phase: "unknown"; readonly location: URL }
  /** The registry knows no such upload; perhaps because it was complete. */
  | { readonly phase: "lost" }
  | { readonly phase: "done" };

/** The next state; with `again` after a setback that may pass. */
interface Step {
  readonly state: UploadState;
  readonly again?: Outcome<never>;
}

/** What one upload works with. */
interface Upload {
  readonly point: PushPoint;
  readonly blob: Descriptor;
  readonly what: string;
  readonly target: RegistryTarget;
  readonly opts: PushOpts;
}

const ATTEMPTS = 8;
/** Bytes of a part: more than object stores ask for at least, less than most proxies allow at most. */
const PART = 8 << 20;
/** An answer to this is not worth waiting for. */
const CANCEL_TIMEOUT_MS = 2_000;

/**
 * Uploads a blob of the content store: in one request, or when the connection breaks or the registry takes no request that
 * large, in parts from where it stopped. `location` is an upload that was begun already. An upload that fails is cancelled.
 * Source: distribution-spec "Pushing blobs". @throws {TbuildError} unauthorized, unavailable, digest_mismatch, cancelled
 */
export async function uploadBlob(point: PushPoint, blob: Descriptor, location: URL | null, opts: PushOpts): Promise<void> {
  const target = targetOf(point.endpoint, { reference: point.reference, actions: "pull,push" });
  const upload: Upload = { point, blob, what: `blob ${blob.digest}`, target, opts };
  let state: UploadState = location === null ? { phase: "new" } : { phase: "whole", location };
  const attempt = async (): Promise<Outcome<void>> => {
    while (state.phase !== "done") {
      const { state: next, again }: Step = await advance(upload, state);
      state = next;
      if (again !== undefined) return again;
    }
    return { kind: "done", value: undefined };
  };
  try {
    await withRetries(attempt, { attempts: ATTEMPTS, ...retrying(opts) });
    opts.report?.statusDone(progressId(blob));
  } catch (error) {
    await cancelUpload(upload, state);
    throw error;
  }
}

/** Where the registry wants an upload's bytes, or its next ones. @throws {TbuildError} corrupt */
export function uploadAddress(target: RegistryTarget, what: string, { headers, url }: HttpResponse): URL {
  const { location = "" } = headers;
  if (location === "" || !URL.canParse(location, url.href)) throw badAnswer(target, what, "the registry says no address for the upload");
  return new URL(location, url);
}

async function advance(upload: Upload, state: Exclude<UploadState, { phase: "done" }>): Promise<Step> {
  const { point, blob, opts } = upload;
  switch (state.phase) {
    case "new":
      return { state: { phase: "whole", location: await begin(upload) } };
    case "whole":
      return await finish(upload, state.location, 0);
    case "parts":
      return state.offset === blob.size ? await finish(upload, state.location, blob.size) : await sendPart(upload, state);
    case "unknown":
      return { state: await askOffset(upload, state.location) };
    case "lost":
      return { state: { phase: (await hasRemoteBlob(point, blob.digest, opts)) ? "done" : "new" } };
  }
}

async function begin({ point, what, target, opts }: Upload): Promise<URL> {
  const response = await point.session.call(point.endpoint, pushCall(point, "POST", "blobs/uploads/", what), retrying(opts));
  response.body.resume();
  return uploadAddress(target, what, response);
}

/** Sends what is left from `offset` on, and says what the digest of all of it is. */
async function finish(upload: Upload, location: URL, offset: number): Promise<Step> {
  const { blob, what, target } = upload;
  const url = new URL(location);
  // Appended, so that a signature over the query stays what it is.
  url.search += `${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(blob.digest)}`;
  return await sendBytes(upload, "PUT", url, location, [offset, blob.size], (response) => {
    verifyStored(target, what, response, blob.digest);
    return { phase: "done" };
  });
}

async function sendPart(upload: Upload, { location, offset }: UploadState & { readonly phase: "parts" }): Promise<Step> {
  const { what, target, blob } = upload;
  const end = Math.min(offset + PART, blob.size);
  return await sendBytes(upload, "PATCH", location, location, [offset, end], (response) => {
    return { phase: "parts", location: uploadAddress(target, what, response), offset: receivedBytes(response) ?? end };
  });
}

/** Larger than the registry, or the proxy before it, takes at once, or not at once at all. */
const TAKES_PARTS_ONLY = new Set([405, 413, 501]);

async function sendBytes(
  upload: Upload,
  method: "PUT" | "PATCH",
  url: URL,
  location: URL,
  [start, end]: readonly [number, number],
  accepted: (response: HttpResponse) => UploadState,
): Promise<Step> {
  const { point, what, target, opts } = upload;
  const headers: Record<string, string> = { "content-type": "application/octet-stream", "content-length": String(end - start) };
  if (method === "PATCH") headers["content-range"] = `${start}-${end - 1}`;
  const call = { ...pushCall(point, method, url, what), headers, ...(end > start ? { body: () => bytesOf(upload, start, end) } : {}) };
  let response: HttpResponse;
  try {
    response = await point.session.send(point.endpoint, call, opts);
  } catch (error) {
    return { state: { phase: "unknown", location }, again: broken(target, what, error) };
  }
  const { status } = response;
  if (status < 300) {
    response.body.resume();
    return { state: accepted(response) };
  }
  if (method === "PUT" && end > start && TAKES_PARTS_ONLY.has(status)) {
    response.body.destroy();
    return { state: { phase: "unknown", location } };
  }
  if (status === 404 || status === 416) {
    const again = { kind: "again", error: badStatus(target, what, status, "the upload was lost"), afterMs: null } as const;
    response.body.resume();
    return { state: status === 404 ? { phase: "lost" } : { phase: "unknown", location }, again };
  }
  return { state: { phase: "unknown", location }, again: await point.session.refused(target, what, response) };
}

function bytesOf({ point, blob, opts }: Upload, start: number, end: number): Readable {
  const stream = createReadStream(point.content.pathOf(blob.digest), { start, end: end - 1, highWaterMark: 1 << 18 });
  let sent = start;
  return stream.on("data", (chunk) => opts.report?.status(progressId(blob), (sent += chunk.length), blob.size));
}

async function askOffset({ point, blob, what, opts }: Upload, location: URL): Promise<UploadState> {
  try {
    const response = await point.session.call(point.endpoint, pushCall(point, "GET", location, what), retrying(opts));
    response.body.resume();
    const offset = receivedBytes(response) ?? 0;
    const next = response.headers.location === undefined ? location : new URL(response.headers.location, response.url);
    return offset > blob.size ? { phase: "lost" } : { phase: "parts", location: next, offset };
  } catch (error) {
    if (hasCode(error, "not_found") || hasCode(error, "unavailable")) return { phase: "lost" };
    throw error;
  }
}

/** Bytes that the registry has of an upload; of none and of one it says the same. */
function receivedBytes({ headers }: HttpResponse): number | null {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? "")?.[1];
  if (last === undefined) return null;
  return last === "0" ? 0 : Number(last) + 1;
}

/** Best effort: what nobody finishes, registries forget by themselves. */
async function cancelUpload({ point, what }: Upload, state: UploadState): Promise<void> {
  if (!("location" in state)) return;
  try {
    const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
    (await point.session.send(point.endpoint, pushCall(point, "DELETE", state.location, what), { signal })).body.resume();
  } catch {
    // The error that ended the upload says more.
  }
}

function progressId({ digest }: Descriptor): string {
  return `pushing ${digest}`;
}
