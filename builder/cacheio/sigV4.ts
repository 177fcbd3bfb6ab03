import { createHash, createHmac } from "node:crypto";

/** Login of a service that speaks AWS's signatures. */
export interface AwsLogin {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** What is signed. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hex sha256 of the body. */
  readonly payload: string;
}

/** Where and when the signature is good. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
  readonly now: Date;
}

/**
 * Headers of the request with AWS's signature, version 4. The path is signed as it is written, as S3 wants it. Pure.
 * Source: AWS, "Signature Version 4 signing process".
 */
export function signV4({ method, url, headers, payload }: SignedRequest, login: AwsLogin, { region, service, now }: SigningScope): Readonly<Record<string, string>> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const token = login.sessionToken === null ? {} : { "x-amz-security-token": login.sessionToken };
  const all: Record<string, string> = { ...headers, host: url.host, "x-amz-content-sha256": payload, "x-amz-date": time, ...token };
  const names = Object.keys(all).sort();
  const canonical = [
    method,
    url.pathname,
    canonicalQuery(url),
    ...names.map((name) => `${name}:${all[name]!.trim().replace(/\s+/g, " ")}`),
    "",
    names.join(";"),
    payload,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [time.slice(0, 8), region, service, "aws4_request"].reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${login.secretAccessKey}`);
  const signature = hmac(key, text).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${login.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const { host: _host, ...sent } = all;
  return { ...sent, authorization };
}

/** `text` as AWS writes it in paths and queries. */
export function awsEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function canonicalQuery({ searchParams }: URL): string {
  const pairs = [...searchParams].map(([name, value]) => `${awsEncode(name)}=${awsEncode(value)}`);
  return pairs.sort().join("&");
}

/** Hex. */
function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
