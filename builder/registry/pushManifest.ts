import type { Descriptor } from "../../cache/oci/descriptor.js";
import { formatReference } from "../../cache/oci/reference.js";
import { manifestLimit } from "./manifest.js";
import { pushCall, verifyStored, type PushOpts, type PushPoint } from "./pushPoint.js";
import { readBlob } from "./resolve.js";
import { retrying } from "./retry.js";
import { targetOf } from "./session.js";

/**
 * Writes a manifest or index of the content store, under a tag or, when that is null, by its digest. What it names must
 * be there. @throws {TbuildError} unauthorized, unavailable, digest_mismatch, cancelled
 */
export async function pushManifest(point: PushPoint, manifest: Descriptor, tag: string | null, opts: PushOpts): Promise<void> {
  const { session, endpoint, reference, content } = point;
  const { digest, mediaType } = manifest;
  const id = `pushing manifest for ${formatReference({ ...reference, tag, digest })}`;
  opts.report?.status(id, 0, manifest.size);
  const body = await readBlob(content, digest, manifestLimit);
  const what = "the manifest";
  const headers = { "content-type": mediaType, "content-length": String(body.length) };
  const call = { ...pushCall(point, "PUT", `manifests/${tag ?? digest}`, what), headers, body };
  const response = await session.call(endpoint, call, retrying(opts));
  response.body.resume();
  verifyStored(targetOf(endpoint, call), what, response, digest);
  opts.report?.statusDone(id);
}
