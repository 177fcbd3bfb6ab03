import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import { type Digest, digestOf, hexOf } from "../../cache/oci/digest.js";
import { type HttpTransport, readBody } from "../registry/http.js";
import type { ObjectStore, StoredConfig } from "./objectCache.js";
import { callObjects } from "./objectHttp.js";

/** The cache of GitHub Actions, version 2 of its API. */
export interface GhaAccess {
  readonly transport: HttpTransport;
  /** ACTIONS_RESULTS_URL. */
  readonly url: URL;
  /** ACTIONS_RUNTIME_TOKEN. */
  readonly token: string;
  /** Caches of other scopes are others. */
  readonly scope: string;
}

/** What a token lets one do with the entries of a branch. */
interface Permission {
  readonly scope: string;
  readonly writes: boolean;
}

/** Largest config of a cache that is read, in bytes. */
const configLimit = 64 << 20;
/** Of BuildKit's layout of keys, and of its client's. */
const LAYOUT = "1";
const VERSION = createHash("sha256").update("|go-actionscache-1.0").digest("hex");

/**
 * Layers are "buildkit-blob-1-<digest>", configs "index-<scope>-1-<branch>#<n>", of which the highest number counts; an entry is
 * never changed. Source: BuildKit cache/remotecache/gha, tonistiigi/go-actions-cache. @throws {TbuildError} invalid_argument for a token that says nothing
 */
export function ghaObjects(access: GhaAccess): ObjectStore {
  const permissions = permissionsOf(access.token);
  const own = permissions.findLast(({ writes }) => writes) ?? null;
  const indexKey = (branch: string): string => `index-${access.scope}-${LAYOUT}-${hexOf(digestOf(branch)).slice(0, 8)}`;
  const config = async (branch: string, opts: Opts): Promise<StoredConfig | null> => {
    const entry = await find(access, `${indexKey(branch)}#`, opts);
    return entry === null ? null : { bytes: await readAll(access, entry.url, opts), version: entry.key };
  };
  return {
    async configs(opts) {
      const found = await Promise.all(permissions.toReversed().map(({ scope }) => config(scope, opts)));
      return found.filter((one) => one !== null);
    },
    current: async (opts) => (own === null ? null : await config(own.scope, opts)),
    async writeConfig(bytes, before, opts) {
      if (own === null) throw new TbuildError("permission_denied", "Cannot write to the cache of GitHub Actions: the token allows reading alone");
      const number = before === null ? 0 : Number(/#(\d+)$/.exec(before.version)?.[1] ?? 0);
      const key = `${indexKey(own.scope)}#${number + 1}`;
      const { Readable: Streams } = await import("node:stream");
      return (await save(access, key, bytes.length, (from, to) => Streams.from([bytes.subarray(from, to)]), opts)) === "exists" ? "changed" : "stored";
    },
    has: async ({ digest }, opts) => (await find(access, blobKey(digest), opts))?.key === blobKey(digest),
    put: async ({ digest, size }, open, opts) => void (await save(access, blobKey(digest), size, open, opts)),
    async *get({ digest }, opts) {
      const entry = await find(access, blobKey(digest), opts);
      if (entry?.key !== blobKey(digest)) throw new TbuildError("not_found", `Cannot read blob ${digest} of the cache of GitHub Actions: it is not there`);
      const response = await callObjects(access.transport, () => ({ method: "GET", url: entry.url, headers: {} }), { ...opts, what: "read a layer" });
      yield* response.body as AsyncIterable<Buffer>;
    },
  };
}

function blobKey(digest: Digest): string {
  return `buildkit-blob-${LAYOUT}-${digest}`;
}

function permissionsOf(token: string): readonly Permission[] {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as { readonly ac: string };
    const scopes = JSON.parse(claims.ac) as readonly { readonly Scope: string; readonly Permission: number }[];
    return scopes.map(({ Scope, Permission: bits }) => ({ scope: Scope, writes: (bits & 2) !== 0 }));
  } catch (error) {
    throw new TbuildError("invalid_argument", "Cannot use the token of GitHub Actions: it does not say what it allows", { cause: error });
  }
}

interface Entry {
  readonly key: string;
  /** Signed; no login is sent there. */
  readonly url: URL;
}

/** The newest entry whose key begins with `key`; null when there is none. */
async function find(access: GhaAccess, key: string, opts: Opts): Promise<Entry | null> {
  const { ok, signed_download_url: url, matched_key: matched } = await ask(access, "GetCacheEntryDownloadURL", { key, restore_keys: [key], version: VERSION }, opts);
  return ok === true && typeof url === "string" && URL.canParse(url) ? { key: matched ?? key, url: new URL(url) } : null;
}

async function readAll({ transport }: GhaAccess, url: URL, opts: Opts): Promise<Buffer> {
  return await readBody(await callObjects(transport, () => ({ method: "GET", url, headers: {} }), { ...opts, what: "read the cache" }), configLimit);
}

type Open = (from: number, to: number) => Readable;

async function save(access: GhaAccess, key: string, size: number, open: Open, opts: Opts): Promise<"saved" | "exists"> {
  const { exists, ok, signed_upload_url: url } = await ask(access, "CreateCacheEntry", { key, version: VERSION }, opts);
  if (exists === true) return "exists";
  if (ok !== true || typeof url !== "string" || !URL.canParse(url)) throw new TbuildError("unavailable", `Cannot reserve "${key}" in the cache of GitHub Actions`);
  await upload(access.transport, new URL(url), size, open, opts);
  const done = await ask(access, "FinalizeCacheEntryUpload", { key, size_bytes: size, version: VERSION }, opts);
  if (done.ok !== true) throw new TbuildError("unavailable", `Cannot finish "${key}" in the cache of GitHub Actions`);
  return "saved";
}

/** What the service answers; of each method another part. */
interface Answer {
  readonly ok?: boolean;
  readonly signed_download_url?: string;
  readonly signed_upload_url?: string;
  readonly matched_key?: string;
  /** Ours: somebody has reserved the entry. */
  readonly exists?: boolean;
}

async function ask({ transport, url, token }: GhaAccess, method: string, body: object, opts: Opts): Promise<Answer> {
  const to = new URL(`${url.pathname.replace(/\/+$/, "")}/twirp/github.actions.results.api.v1.CacheService/${method}`, url);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const request = () => ({ method: "POST", url: to, headers, body: JSON.stringify(body), secret: true }) as const;
  const response = await callObjects(transport, request, { ...opts, accept: [404, 409], what: "ask the cache of GitHub Actions" });
  const bytes = await readBody(response, 1 << 16);
  if (response.status === 409) return { exists: true };
  if (response.status === 404) return { ok: false };
  try {
    return JSON.parse(bytes.toString("utf8")) as Answer;
  } catch (error) {
    throw new TbuildError("corrupt", "Cannot read an answer of the cache of GitHub Actions: not JSON", { cause: error });
  }
}

/** Azure's blocks; what is smaller than one is sent at once. */
const BLOCK = 32 << 20;
const AZURE = { "x-ms-version": "2020-10-02" };

async function upload(transport: HttpTransport, url: URL, size: number, open: Open, opts: Opts): Promise<void> {
  const put = async (query: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>, body: string | (() => Readable)) => {
    const to = new URL(url);
    for (const [name, value] of Object.entries(query)) to.searchParams.set(name, value);
    const response = await callObjects(transport, () => ({ method: "PUT", url: to, headers: { ...AZURE, ...headers }, body }), { ...opts, what: "write to the cache" });
    response.body.resume();
  };
  if (size <= BLOCK) return await put({}, { "x-ms-blob-type": "BlockBlob", "content-length": String(size) }, () => open(0, size));
  const ids: string[] = [];
  for (let from = 0; from < size; from += BLOCK) {
    const to = Math.min(size, from + BLOCK);
    const id = Buffer.from(String(ids.length).padStart(8, "0")).toString("base64");
    await put({ comp: "block", blockid: id }, { "content-length": String(to - from) }, () => open(from, to));
    ids.push(id);
  }
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
  await put({ comp: "blocklist" }, { "content-length": String(Buffer.byteLength(list)), "content-type": "application/xml" }, list);
}
