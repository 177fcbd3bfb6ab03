import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import { CURVES, parseOpenSshKey } from "./openSshKey.js";
import { wireNumber, wireString } from "./wireBytes.js";

/** A key that can sign for ssh. */
export interface SshKey {
  /** The public key as ssh has it. Source: RFC 4253 section 6.6 */
  readonly blob: Buffer;
  readonly comment: string;
  /** The signature of `data`, with its algorithm's name in front. `flags` are the agent's: 2 is SHA-256, 4 is SHA-512, for RSA. */
  sign(data: Buffer, flags: number): Buffer;
}

/** Reads an Ed25519, ECDSA or RSA key without a passphrase. @throws {TbuildError} not_found, unsupported, parse_failed */
export function readPrivateKey(file: string): SshKey {
  const text = readText(file);
  try {
    const key = /BEGIN OPENSSH PRIVATE KEY/.test(text) ? parseOpenSshKey(text) : createPrivateKey(text);
    return sshKey(key, file);
  } catch (error) {
    if (error instanceof TbuildError) throw error;
    if (isLocked(error, text)) throw locked(file);
    throw new TbuildError("parse_failed", `Cannot read the ssh key "${file}": it is no private key that tbuild knows`, { cause: error });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TbuildError("not_found", `Cannot read the ssh key "${file}": ${(cause as Error).message}`, { cause });
  }
}

function isLocked(error: unknown, text: string): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE" || /ENCRYPTED/.test(text);
}

function locked(file: string): TbuildError {
  return new TbuildError("unsupported", `Cannot use the ssh key "${file}": it has a passphrase`, { hint: "Add it to an agent with ssh-add, and use --ssh default" });
}

function sshKey(key: KeyObject, comment: string): SshKey {
  const jwk = createPublicKey(key).export({ format: "jwk" });
  const part = (name: "n" | "e" | "x" | "y"): Buffer => Buffer.from(jwk[name] ?? "", "base64url");
  if (jwk.kty === "RSA") {
    const blob = Buffer.concat([wireString("ssh-rsa"), wireNumber(part("e")), wireNumber(part("n"))]);
    return { blob, comment, sign: (data, flags) => signRsa(key, data, flags) };
  }
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") {
    const name = wireString("ssh-ed25519");
    return { blob: Buffer.concat([name, wireString(part("x"))]), comment, sign: (data) => Buffer.concat([name, wireString(sign(null, data, key))]) };
  }
  const curve = CURVES[jwk.crv ?? ""];
  if (curve === undefined) throw new TbuildError("unsupported", `Cannot use the ssh key "${comment}": keys of its kind are not supported`);
  const name = wireString(`ecdsa-sha2-${curve.name}`);
  const point = Buffer.concat([Buffer.from([4]), part("x"), part("y")]);
  return { blob: Buffer.concat([name, wireString(curve.name), wireString(point)]), comment, sign: (data) => Buffer.concat([name, wireString(signEcdsa(key, data, curve))]) };
}

function signRsa(key: KeyObject, data: Buffer, flags: number): Buffer {
  const [name, hash] = rsaAlgorithm(flags);
  return Buffer.concat([wireString(name), wireString(sign(hash, data, key))]);
}

/** Source: RFC 8332 section 3, and draft-ietf-sshm-ssh-agent section 6.1.2 for the flags. */
function rsaAlgorithm(flags: number): readonly [name: string, hash: string] {
  if ((flags & 4) !== 0) return ["rsa-sha2-512", "sha512"];
  return (flags & 2) !== 0 ? ["rsa-sha2-256", "sha256"] : ["ssh-rsa", "sha1"];
}

function signEcdsa(key: KeyObject, data: Buffer, { hash, bytes }: { readonly hash: string; readonly bytes: number }): Buffer {
  const both = sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  return Buffer.concat([wireNumber(both.subarray(0, bytes)), wireNumber(both.subarray(bytes))]);
}
