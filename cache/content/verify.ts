import type { Descriptor } from "../oci/descriptor.js";
import type { Digest } from "../oci/digest.js";
import { blobMismatch } from "./errors.js";

/** What a caller of `commit` knows beforehand. */
export interface Expected {
  readonly digest?: Digest;
  /** Bytes. */
  readonly size?: number;
}

/** The descriptor of a finished write, when it is what was expected. @throws {TbuildError} digest_mismatch */
export function verifiedDescriptor(digest: Digest, size: number, expected: Expected = {}): Descriptor {
  if (expected.size !== undefined && expected.size !== size) throw blobMismatch("size", expected.size, size);
  if (expected.digest !== undefined && expected.digest !== digest) throw blobMismatch("digest", expected.digest, digest);
  return { mediaType: "application/octet-stream", digest, size };
}
