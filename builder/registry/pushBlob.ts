import { hasCode } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import { hasRemoteBlob, pushCall, verifyStored, type PushOpts, type PushPoint } from "./pushPoint.js";
import { uploadAddress, uploadBlob } from "./pushUpload.js";
import { retrying } from "./retry.js";
import { targetOf } from "./session.js";

/** A blob that a repository is to have. */
export interface PushBlob {
  readonly descriptor: Descriptor;
  /** Where it came from: repositories that may have it, "docker.io/library/busybox". */
  readonly origin: string | null;
  /** Brings the blob into the content store; asked only when the bytes are needed. */
  fetch(): Promise<void>;
}

/**
 * Sees to it that a repository has a blob: it may be there, or in another repository of the same registry (`earlier`, or where
 * it came from), and else is uploaded. @throws {TbuildError} unauthorized, unavailable, digest_mismatch, cancelled
 */
export async function pushBlob(point: PushPoint, blob: PushBlob, earlier: string | undefined, opts: PushOpts): Promise<void> {
  const { digest } = blob.descriptor;
  if (await hasRemoteBlob(point, digest, opts)) return;
  const from = earlier ?? repositoryAt(point.reference, blob.origin);
  const begun = from === null ? null : await mountBlob(point, digest, from, opts);
  if (begun === "mounted") return;
  await blob.fetch();
  await uploadBlob(point, blob.descriptor, begun, opts);
}

/** "mounted", or the address of an upload that the registry began instead, or null when it does neither. */
async function mountBlob(point: PushPoint, digest: Digest, from: string, opts: PushOpts): Promise<"mounted" | URL | null> {
  const what = `blob ${digest}`;
  const path = `blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`;
  try {
    const response = await point.session.call(point.endpoint, { ...pushCall(point, "POST", path, what), from }, retrying(opts));
    response.body.resume();
    const target = targetOf(point.endpoint, { reference: point.reference, actions: "pull,push" });
    if (response.status !== 201) return uploadAddress(target, what, response);
    verifyStored(target, what, response, digest);
    return "mounted";
  } catch (error) {
    // Who may not read the other repository uploads the blob; an error that concerns uploads too comes again there.
    if (hasCode(error, "unauthorized") || hasCode(error, "not_found") || hasCode(error, "unavailable")) return null;
    throw error;
  }
}

function repositoryAt({ registry, repository }: Reference, origin: string | null): string | null {
  if (origin === null || !origin.startsWith(`${registry}/`)) return null;
  const from = origin.slice(registry.length + 1);
  return from === repository ? null : from;
}
