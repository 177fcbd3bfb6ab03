import { createHash, type Hash } from "node:crypto";
import { TbuildError } from "../errors.js";

/** Lower-case `sha256:<64 hex>`. Source: OCI image-spec, descriptor.md "Digests". */
export type Digest = `sha256:${string}` & { readonly __brand: "Digest" };

const HEX64 = /^sha256:[0-9a-f]{64}$/;

/** Validates untrusted text; the only way from `string` to `Digest`. @throws {TbuildError} invalid_digest */
export function parseDigest(text: string): Digest {
  if (!HEX64.test(text)) {
    throw new TbuildError("invalid_digest", `Cannot parse digest "${text}"`, {
      hint: 'A digest is "sha256:" and 64 lower-case hex digits',
    });
  }
  return text as Digest;
}

/** True when `text` is a well-formed digest. */
export function isDigest(text: string): text is Digest {
  return HEX64.test(text);
}

/** sha256 of these bytes (text as UTF-8). */
export function digestOf(data: string | Uint8Array): Digest {
  return finishDigest(createHash("sha256").update(data));
}

/** Digest of a sha256 hash that has seen all its bytes; the hash cannot be used again. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}` as Digest;
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}
