import { cancelled, hasCode, isTbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { Endpoint } from "./endpoint.js";
import { badAnswer, unreachableRegistry } from "./errors.js";
import type { HttpResponse } from "./http.js";
import { targetOf, type RegistrySession } from "./session.js";

/** Connections that may break off in one blob before we give up. */
const MAX_BREAKS = 8;

/**
 * Bytes of a blob from one endpoint, in order and exactly `descriptor.size` of them; the digest is for the reader to
 * check. When the connection drops, the rest is asked for by Range. @throws {TbuildError} those of a call, corrupt
 */
export async function* blobBytes(
  session: RegistrySession,
  endpoint: Endpoint,
  reference: Reference,
  descriptor: Descriptor,
  opts: Opts,
): AsyncGenerator<Uint8Array> {
  const what = `blob ${descriptor.digest}`;
  const target = targetOf(endpoint, { reference });
  const path = `blobs/${descriptor.digest}`;
  let offset = 0;
  for (let breaks = 0; offset < descriptor.size; ) {
    const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const response = await session.call(endpoint, { reference, method: "GET", path, headers, actions: "pull", what }, opts);
    let skip = offset - startOf(response);
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        offset += fresh.length;
        if (offset > descriptor.size) throw badAnswer(
          target,
          what,
          `more than the ${descriptor.size} bytes that the manifest says`,
        );
        if (fresh.length > 0) yield fresh;
      }
      if (offset < descriptor.size && ++breaks > MAX_BREAKS) throw badAnswer(
        target,
        what,
        `only ${offset} of ${descriptor.size} bytes came`,
      );
    } catch (error) {
      if (opts.signal?.aborted) throw cancelled(opts.signal);
      if (isTbuildError(error)) throw error;
      if (++breaks > MAX_BREAKS) throw unreachableRegistry(target, what, error);
    }
  }
}

/** Offset of an answer's first byte; a registry may ignore Range and start over. */
function startOf({ status, headers }: HttpResponse): number {
  return status === 206 ? Number(/^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1] ?? 0) : 0;
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
