import { cancelled, hasCode } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf, isDigest } from "../../cache/oci/digest.js";
import { formatReference, type Reference } from "../../cache/oci/reference.js";
import type { Endpoint } from "./endpoint.js";
import { badAnswer, wrongDigest } from "./errors.js";
import { readBody, type HttpResponse } from "./http.js";
import { checkManifest, manifestLimit, manifestTypes } from "./manifest.js";
import { broken } from "./outcome.js";
import { retrying, withRetries, type Outcome, type ReportedOpts } from "./retry.js";
import { targetOf, type RegistryCall, type RegistrySession } from "./session.js";

/** Times that a manifest is asked for whose bytes do not all come. */
const READS = 3;
const WHAT = "the manifest";

/** What one endpoint says that a name stands for; null when it does not say. @throws {TbuildError} those of a call */
export async function headManifest(session: RegistrySession, endpoint: Endpoint, reference: Reference, opts: ReportedOpts): Promise<Descriptor | null> {
  const response = await session.call(endpoint, manifestCall(reference, "HEAD"), retrying(opts));
  response.body.resume();
  const digest = claimedDigest(response);
  const size = Number(response.headers["content-length"] ?? 0);
  return isDigest(digest) ? { mediaType: contentType(response), digest, size } : null;
}

/**
 * A manifest or index of one endpoint: what its digest names, and of the kind that it is called.
 * @throws {TbuildError} those of a call, digest_mismatch, corrupt, unsupported
 */
export async function pullManifest(
  session: RegistrySession,
  endpoint: Endpoint,
  reference: Reference,
  opts: ReportedOpts,
): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }> {
  const answer = await withRetries(() => read(session, endpoint, reference, opts), { attempts: READS, ...retrying(opts) });
  const { response, bytes } = answer;
  const digest = digestOf(bytes);
  const claimed = claimedDigest(response);
  const wanted = reference.digest ?? (isDigest(claimed) ? claimed : digest);
  if (digest !== wanted) throw wrongDigest(targetOf(endpoint, { reference }), WHAT, wanted, digest);
  const mediaType = contentType(response);
  checkManifest(bytes, mediaType, `${WHAT} of "${formatReference(reference)}" from ${endpoint.host}`);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

interface ManifestAnswer {
  readonly response: HttpResponse;
  readonly bytes: Buffer;
}

async function read(session: RegistrySession, endpoint: Endpoint, reference: Reference, opts: ReportedOpts): Promise<Outcome<ManifestAnswer>> {
  const target = targetOf(endpoint, { reference });
  const response = await session.call(endpoint, manifestCall(reference, "GET"), retrying(opts));
  try {
    return { kind: "done", value: { response, bytes: await readBody(response, manifestLimit) } };
  } catch (error) {
    if (opts.signal?.aborted) throw cancelled(opts.signal);
    if (hasCode(error, "resource_exhausted")) throw badAnswer(target, WHAT, `larger than ${manifestLimit} bytes`);
    return broken(target, WHAT, error);
  }
}

function manifestCall(reference: Reference, method: "GET" | "HEAD"): RegistryCall {
  const path = `manifests/${reference.digest ?? reference.tag ?? "latest"}`;
  const headers = { accept: manifestTypes.join(", ") };
  return { reference, method, path, headers, actions: "pull", what: WHAT };
}

function claimedDigest({ headers }: HttpResponse): string {
  return String(headers["docker-content-digest"] ?? "");
}

function contentType({ headers }: HttpResponse): string {
  return (headers["content-type"] ?? "").split(";")[0]!.trim();
}
