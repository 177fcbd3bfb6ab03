import { TbuildError } from "../errors.js";
import type { Digest } from "../oci/digest.js";

/** A blob that is not in the store. */
export function blobNotFound(digest: Digest): TbuildError {
  return new TbuildError("not_found", `Cannot read blob "${digest}": not in the content store`);
}

/** An ingest whose ref somebody else holds. */
export function ingestHeld(ref: string): TbuildError {
  return new TbuildError("unavailable", `Cannot write content "${ref}": another write of it is in progress`);
}

/** A commit whose bytes are not the expected ones. */
export function blobMismatch(what: "digest" | "size", expected: string | number, found: string | number): TbuildError {
  return new TbuildError("digest_mismatch", `Cannot commit blob: expected ${what} "${expected}", found "${found}"`);
}
