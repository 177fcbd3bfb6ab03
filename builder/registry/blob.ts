import { cancelled, hasCode, isTbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { Endpoint } from "./endpoint.js";
import { badAnswer, unreachableRegistry } from "./errors.js";
import type { HttpResponse } from "./http.js";
import { type ReportedOpts, retrying, setback } from "./retry.js";
import { targetOf, type CallOpts, type RegistryCall, type RegistrySession } from "./session.js";

/** Setbacks in a row, without a good piece of the blob between them, before we give up. */
const MAX_SETBACKS = 5;
const GOOD_PIECE = 1 << 20;

/** Options of {@link blobBytes}. */
export interface BlobOpts extends CallOpts {
  /** Bytes that are here already. */
  readonly offset: number;
}

/**
 * Bytes of a blob from one endpoint, in order, from `offset` on and exactly up to `descriptor.size`; the digest is for the
 * reader to check. When the connection drops, the rest is asked for by Range. @throws {TbuildError} those of a call, corrupt
 */
export async function* blobBytes(
  session: RegistrySession,
  endpoint: Endpoint,
  reference: Reference,
  descriptor: Descriptor,
  opts: BlobOpts,
): AsyncGenerator<Uint8Array> {
  const { size } = descriptor;
  const what = `blob ${descriptor.digest}`;
  const target = targetOf(endpoint, { reference });
  let offset = opts.offset;
  for (let setbacks = 0; offset < size; ) {
    const from = offset;
    const answer = await askFrom(session, endpoint, { reference, path: `blobs/${descriptor.digest}`, what }, from, size, opts);
    let failure = badAnswer(target, what, "");
    try {
      for await (const fresh of bytesFrom(answer, from)) {
        offset += fresh.length;
        if (offset > size) throw badAnswer(target, what, `more than the ${size} bytes that the manifest says`);
        yield fresh;
      }
      failure = badAnswer(target, what, `only ${offset} of ${size} bytes came`);
      if (offset === from) throw failure; // no connection broke: that is all it has
    } catch (error) {
      if (opts.signal?.aborted) throw cancelled(opts.signal);
      if (isTbuildError(error)) throw error;
      failure = unreachableRegistry(target, what, error);
    }
    if (offset === size) return;
    setbacks = offset - from < GOOD_PIECE ? setbacks + 1 : 1;
    if (setbacks > MAX_SETBACKS) throw failure;
    await setback({ kind: "again", error: failure, afterMs: null }, setbacks, opts);
  }
}

/** Bytes of a blob, as one endpoint says. @throws {TbuildError} those of a call, corrupt */
export async function blobSize(session: RegistrySession, endpoint: Endpoint, reference: Reference, digest: Digest, opts: ReportedOpts): Promise<number> {
  const what = `blob ${digest}`;
  const call = { reference, method: "HEAD", path: `blobs/${digest}`, headers: {}, actions: "pull", what } as const;
  const { headers, body } = await session.call(endpoint, call, retrying(opts));
  body.resume();
  const length = headers["content-length"] ?? "";
  if (/^\d+$/.test(length)) return Number(length);
  throw badAnswer(targetOf(endpoint, { reference }), what, "it does not say how many bytes there are");
}

/** An answer that begins at `offset`, or at 0 where the registry ignores Range. @throws {TbuildError} those of a call, corrupt */
async function askFrom(
  session: RegistrySession,
  endpoint: Endpoint,
  { reference, path, what }: Pick<RegistryCall, "reference" | "path" | "what">,
  offset: number,
  size: number,
  opts: CallOpts,
): Promise<HttpResponse> {
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const response = await session.call(endpoint, { reference, method: "GET", path, headers, actions: "pull", what, accept: [416] }, opts);
  const start = startOf(response);
  if (start === 0 || start === offset) return response;
  response.body.destroy();
  const target = targetOf(endpoint, { reference });
  if (response.status === 416) throw badAnswer(target, what, `it has only ${offset} of the ${size} bytes that the manifest says`);
  throw badAnswer(target, what, `another part came than the one from byte ${offset} on`);
}

/** What an answer has from `offset` on. */
async function* bytesFrom(response: HttpResponse, offset: number): AsyncGenerator<Buffer> {
  let skip = offset - (startOf(response) ?? 0);
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (fresh.length > 0) yield fresh;
  }
}

/** Offset of an answer's first byte, null when it does not say; a registry may ignore Range and start over. */
function startOf({ status, headers }: HttpResponse): number | null {
  if (status !== 206 && status !== 416) return 0;
  const start = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
  return status === 416 || start === undefined ? null : Number(start);
}

/** Runs one task per key at a time; others who ask for the key meanwhile share its result. */
export function createFlights(): (key: string, opts: Opts, task: () => Promise<void>) => Promise<void> {
  const flights = new Map<string, Promise<void>>();
  return async (key, opts, task) => {
    for (;;) {
      const flight = flights.get(key);
      if (flight === undefined) break;
      try {
        return await flight;
      } catch (error) {
        // The one who flew gave up; that is no reason for us to.
        if (!hasCode(error, "cancelled") || opts.signal?.aborted) throw error;
      }
    }
    const own = task().finally(() => flights.delete(key));
    flights.set(key, own);
    return await own;
  };
}
