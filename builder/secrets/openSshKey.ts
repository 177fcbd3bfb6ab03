import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { wireReader } from "./wireBytes.js";

/** The curves of ECDSA keys by their name in a JWK: ssh's name, the hash that goes with them, and the bytes of a coordinate. */
export const CURVES: Readonly<Record<string, { readonly name: string; readonly hash: string; readonly bytes: number }>> = {
  "P-256": { name: "nistp256", hash: "sha256", bytes: 32 },
  "P-384": { name: "nistp384", hash: "sha384", bytes: 48 },
  "P-521": { name: "nistp521", hash: "sha512", bytes: 66 },
};

/**
 * Reads a key as ssh-keygen writes them. Source: OpenSSH PROTOCOL.key.
 *
 * @throws {Error} when it is none, with `code` ERR_MISSING_PASSPHRASE when it is encrypted
 */
export function parseOpenSshKey(text: string): KeyObject {
  const body = Buffer.from(text.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""), "base64");
  const magic = "openssh-key-v1\0";
  if (body.toString("latin1", 0, magic.length) !== magic) throw new Error("no OpenSSH key");
  const outer = wireReader(body.subarray(magic.length));
  if (outer.string().toString() !== "none") throw Object.assign(new Error("locked"), { code: "ERR_MISSING_PASSPHRASE" });
  outer.string();
  outer.string();
  outer.uint32();
  outer.string();
  const inner = wireReader(outer.string());
  inner.uint32();
  inner.uint32();
  return createPrivateKey({ key: jwkOf(inner.string().toString(), inner.string), format: "jwk" });
}

function jwkOf(kind: string, next: () => Buffer): JsonWebKey {
  if (kind === "ssh-ed25519") {
    const x = next();
    return { kty: "OKP", crv: "Ed25519", x: x.toString("base64url"), d: next().subarray(0, 32).toString("base64url") };
  }
  if (kind === "ssh-rsa") {
    const number = (): Buffer => unsigned(next());
    // In the order of the file.
    const { n, e, d, qi, p, q } = { n: number(), e: number(), d: number(), qi: number(), p: number(), q: number() };
    return { kty: "RSA", n: url(n), e: url(e), d: url(d), p: url(p), q: url(q), dp: url(remainder(d, p)), dq: url(remainder(d, q)), qi: url(qi) };
  }
  const crv = Object.keys(CURVES).find((name) => kind === `ecdsa-sha2-${CURVES[name]!.name}`);
  if (crv === undefined) throw new Error(`unknown key ${kind}`);
  const { bytes } = CURVES[crv]!;
  next();
  const point = next();
  return { kty: "EC", crv, x: url(point.subarray(1, 1 + bytes)), y: url(point.subarray(1 + bytes)), d: url(padded(unsigned(next()), bytes)) };
}

function unsigned(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function padded(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, length - bytes.length)), bytes]);
}

function url(bytes: Buffer): string {
  return bytes.toString("base64url");
}

/** `d` mod (`p` - 1), which a JWK has and OpenSSH's format has not. */
function remainder(d: Buffer, p: Buffer): Buffer {
  const hex = (BigInt(`0x${d.toString("hex")}`) % (BigInt(`0x${p.toString("hex")}`) - 1n)).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}
