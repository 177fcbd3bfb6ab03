import type { Readable } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import { digestOf, hexOf } from "../../cache/oci/digest.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { type HttpRequest, type HttpResponse, type HttpTransport, readBody } from "../registry/http.js";
import type { ObjectStore, StoredConfig } from "./objectCache.js";
import { callObjects } from "./objectHttp.js";
import { type AwsLogin, awsEncode, signV4 } from "./sigV4.js";

/** A bucket of S3, or of a service that speaks its protocol. */
export interface S3Access {
  readonly transport: HttpTransport;
  /** Where the bucket's objects are: ends with "/". */
  readonly base: URL;
  readonly region: string;
  readonly login: AwsLogin;
  /** Names of the cache; all are written, the first is read. */
  readonly names: readonly [string, ...string[]];
  /** Before "blobs" of layers and "manifests" of names; these end with "/". */
  readonly blobsPrefix: string;
  readonly manifestsPrefix: string;
  /** A layer that is used and older than this many milliseconds gets a new time, so that rules which remove old objects leave it. */
  readonly touchMs: number;
}

/** Where a bucket's objects are. `endpoint` null is Amazon's own. */
export function bucketBase(bucket: string, region: string, endpoint: URL | null, pathStyle: boolean): URL {
  if (endpoint === null) return new URL(`https://${bucket}.s3.${region}.amazonaws.com/`);
  const below = endpoint.pathname.replace(/\/*$/, "/");
  if (pathStyle) return new URL(`${below}${awsEncode(bucket)}/`, endpoint);
  const base = new URL(below, endpoint);
  base.hostname = `${bucket}.${endpoint.hostname}`;
  return base;
}

/** Largest config of a cache that is read, in bytes. */
const configLimit = 64 << 20;
const EMPTY = hexOf(digestOf(""));

/**
 * Layers are `blobs/<digest>`, configs `manifests/<name>`, which is written only over what was read where the service can tell.
 * Source: BuildKit cache/remotecache/s3.
 */
export function s3Objects(access: S3Access): ObjectStore {
  const { names, blobsPrefix, manifestsPrefix, touchMs } = access;
  const blobKey = ({ digest }: Descriptor): string => blobsPrefix + digest;
  const read = async (name: string, opts: Opts): Promise<StoredConfig | null> => {
    const response = await call(access, { method: "GET", key: manifestsPrefix + name }, { ...opts, accept: [404], what: "read the cache" });
    const bytes = await readBody(response, configLimit);
    return response.status === 404 ? null : { bytes, version: response.headers.etag ?? digestOf(bytes) };
  };
  return {
    configs: async (opts) => [await read(names[0], opts)].filter((one) => one !== null),
    current: (opts) => read(names[0], opts),
    async writeConfig(bytes, before, opts) {
      const condition = conditionOf(before);
      for (const [index, name] of names.entries()) {
        const body = { method: "PUT", key: manifestsPrefix + name, payload: hexOf(digestOf(bytes)), body: bytes, size: bytes.length } as const;
        const asked = { ...opts, accept: [409, 412, 501], what: "write the cache" };
        let response = await call(access, { ...body, headers: index === 0 ? condition : {} }, asked);
        response.body.resume();
        if (response.status === 409 || response.status === 412) return "changed";
        if (response.status === 501) response = await call(access, { ...body, headers: {} }, { ...opts, what: "write the cache" });
        response.body.resume();
      }
      return "stored";
    },
    async has(blob, opts) {
      const response = await call(access, { method: "HEAD", key: blobKey(blob) }, { ...opts, accept: [404], what: "look for a layer" });
      response.body.resume();
      if (response.status === 404) return false;
      const age = Date.now() - Date.parse(response.headers["last-modified"] ?? "");
      if (age > touchMs) await touch(access, blobKey(blob), opts);
      return true;
    },
    async put(blob, open, opts) {
      const request = { method: "PUT", key: blobKey(blob), payload: hexOf(blob.digest), body: () => open(), size: blob.size } as const;
      (await call(access, request, { ...opts, what: "write a layer" })).body.resume();
    },
    async *get(blob, opts) {
      const response = await call(access, { method: "GET", key: blobKey(blob) }, { ...opts, what: "read a layer" });
      yield* response.body as AsyncIterable<Buffer>;
    },
  };
}

/** What a service that knows conditions lets through; one that gives no tags knows none. */
function conditionOf(before: StoredConfig | null): Readonly<Record<string, string>> {
  if (before === null) return { "if-none-match": "*" };
  return before.version.startsWith('"') ? { "if-match": before.version } : {};
}

/** An object is copied onto itself, which is only let be with other metadata. */
async function touch(access: S3Access, key: string, opts: Opts): Promise<void> {
  const source = decodeURIComponent(objectUrl(access, key).pathname).replace(/^\//, "");
  const bucket = access.base.pathname === "/" ? `${access.base.hostname.split(".")[0]}/${source}` : source;
  const headers = {
    "x-amz-copy-source": bucket.split("/").map(awsEncode).join("/"),
    "x-amz-metadata-directive": "REPLACE",
    "x-amz-meta-updated-at": new Date().toISOString(),
  };
  (await call(access, { method: "PUT", key, headers, size: 0 }, { ...opts, what: "keep a layer" })).body.resume();
}

interface ObjectRequest {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Hex sha256 of the body. */
  readonly payload?: string;
  readonly body?: Uint8Array | (() => Readable);
  /** Bytes of the body. */
  readonly size?: number;
}

async function call(
  access: S3Access,
  { method, key, headers = {}, payload = EMPTY, body, size }: ObjectRequest,
  opts: Parameters<typeof callObjects>[2],
): Promise<HttpResponse> {
  const url = objectUrl(access, key);
  const { region, login } = access;
  const request = (): HttpRequest => {
    const signed = signV4({ method, url, headers, payload }, login, { region, service: "s3", now: new Date() });
    const length: Readonly<Record<string, string>> = size === undefined ? {} : { "content-length": String(size) };
    return { method, url, headers: { ...signed, ...length }, ...(body === undefined ? {} : { body }) };
  };
  return await callObjects(access.transport, request, opts);
}

function objectUrl({ base }: S3Access, key: string): URL {
  return new URL(key.split("/").map(awsEncode).join("/").replace(/^\/+/, ""), base);
}
