import { hasCode } from "../../cache/errors.js";
import type { FileContentStore, Opts } from "../../cache/content/store.js";
import { isDigest, type Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { StepReporter } from "../../solver/progress.js";
import type { Endpoint } from "./endpoint.js";
import { wrongDigest, type RegistryTarget } from "./errors.js";
import type { HttpResponse } from "./http.js";
import { retrying } from "./retry.js";
import type { RegistryCall, RegistrySession } from "./session.js";

/** One repository of one registry that is written to, and where the bytes are. */
export interface PushPoint {
  readonly session: RegistrySession;
  readonly endpoint: Endpoint;
  readonly reference: Reference;
  readonly content: FileContentStore;
}

/** Options of a push. */
export interface PushOpts extends Opts {
  readonly report?: StepReporter | undefined;
}

/** Whether the repository has the blob. @throws {TbuildError} unauthorized, unavailable, cancelled */
export async function hasRemoteBlob(point: PushPoint, digest: Digest, opts: PushOpts): Promise<boolean> {
  try {
    const call = pushCall(point, "HEAD", `blobs/${digest}`, `blob ${digest}`);
    (await point.session.call(point.endpoint, call, retrying(opts))).body.resume();
    return true;
  } catch (error) {
    if (hasCode(error, "not_found")) return false;
    throw error;
  }
}

/** A call of a push without a body. */
export function pushCall({ reference }: PushPoint, method: RegistryCall["method"], path: string | URL, what: string): RegistryCall {
  return { reference, method, path, headers: {}, actions: "pull,push", what };
}

/** What the registry says it stored must be what was sent. @throws {TbuildError} digest_mismatch */
export function verifyStored(target: RegistryTarget, what: string, { headers }: HttpResponse, digest: Digest): void {
  const stored = String(headers["docker-content-digest"] ?? "");
  if (isDigest(stored) && stored !== digest) throw wrongDigest(target, what, digest, stored);
}
