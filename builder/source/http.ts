import { createHash } from "node:crypto";
import { TbuildError } from "../../cache/errors.js";
import { digestOf, parseDigest, type Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { hasBlob } from "../registry/client.js";
import type { HttpTransport } from "../registry/http.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { type FileAttributes, readFileAttributes, writeFileSnapshot } from "./fileSnapshot.js";
import { download, fileNameOf, type Download } from "./httpDownload.js";
import type { ResolvedSource, Source, SourceRequest } from "./source.js";

/** What the HTTP source works with. */
export interface HttpSourceDeps {
  readonly store: Store;
  readonly transport: HttpTransport;
  readonly secrets: SecretStore;
}

/** A request for a file, its attributes read. */
interface FileRequest extends FileAttributes {
  readonly url: URL;
  readonly checksum: Digest | null;
  /** Name of the secret that is the authorization; null: the ones of the host. */
  readonly authSecret: string | null;
  /** What the request says of itself, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The file that a request stands for, as it is now. */
interface RemoteFile {
  readonly digest: Digest;
  readonly filename: string;
  /** Seconds since the epoch; 0 when the server does not say. */
  readonly mtime: number;
}

/** A server that never ends must not fill the disk: 64 GiB. */
const MAX_BYTES = 2 ** 36;

/**
 * `https://…` and `http://…`: one file, alone in its tree. Attributes as in BuildKit: http.checksum, http.filename, http.perm,
 * http.uid, http.gid. With a checksum nobody is asked until the file is needed; without one the server is asked each time
 * whether the file is still the one we have. Secrets named after its host, or http.authheadersecret, are its authorization.
 */
export function createHttpSource(deps: HttpSourceDeps): Source {
  return {
    schemes: ["http", "https"],
    async resolve(request, opts): Promise<ResolvedSource> {
      const wanted = readRequest(request);
      const file = wanted.checksum === null ? await current(deps, wanted, opts) : pinned(wanted, wanted.checksum);
      const pin = pinOf(wanted, file);
      return {
        pin,
        attributes: { url: `${wanted.url.origin}${wanted.url.pathname}`, digest: file.digest, filename: file.filename },
        meta: {
          kind: "http",
          checksum: file.digest,
          filename: file.filename,
          lastModified: file.mtime,
          digestWith: (algorithm, suffix, stepOpts) => digestWith(deps, wanted, file, { algorithm, suffix }, stepOpts),
        },
        snapshot: async (stepOpts) => ({ kind: "snapshot", name: await snapshotOf(deps, wanted, file, pin, stepOpts) }),
      };
    },
  };
}

function readRequest({ identifier, attrs }: SourceRequest): FileRequest {
  if (!URL.canParse(identifier)) throw new TbuildError("invalid_argument", `Cannot download "${identifier}": not a URL`);
  const checksum = attrs["http.checksum"];
  return {
    url: new URL(identifier),
    checksum: checksum === undefined || checksum === "" ? null : parseDigest(checksum),
    ...readFileAttributes(attrs),
    authSecret: attrs["http.authheadersecret"] || null,
    headers: Object.fromEntries(HEADERS.flatMap((name) => headerIn(attrs, name))),
  };
}

/** Headers that may be given. Source: BuildKit source/http. */
const HEADERS = ["accept", "user-agent"];

function headerIn(attrs: SourceRequest["attrs"], header: string): readonly (readonly [string, string])[] {
  return Object.entries(attrs).flatMap(([key, value]) => (key.toLowerCase() === `http.header.${header}` ? [[header, value] as const] : []));
}

function pinned({ url, filename }: FileRequest, digest: Digest): RemoteFile {
  return { digest, filename: filename ?? fileNameOf(url, undefined), mtime: 0 };
}

async function current(deps: HttpSourceDeps, wanted: FileRequest, opts: StepOpts): Promise<RemoteFile> {
  const got = await get(deps, wanted, opts);
  return { digest: got.digest, filename: wanted.filename ?? got.filename, mtime: got.mtime };
}

/** Downloads unless the server says that what we remember is current. */
async function get({ store, transport, secrets }: HttpSourceDeps, { url, authSecret, headers: given }: FileRequest, opts: StepOpts): Promise<Download> {
  const shown = Object.keys(given).length === 0 ? "" : `\n${JSON.stringify(given)}`;
  const key = `http\0${digestOf(`${url.href}${shown}`)}`;
  const text = store.meta.contentKeys.get(key);
  const remembered = text === undefined ? null : (JSON.parse(text) as Download);
  const known = remembered !== null && (await hasBlob(store.content, remembered)) ? remembered : null;
  const progress = (bytes: number, total: number) => opts.report.status(`downloading ${url.host}${url.pathname}`, bytes, total);
  const headers = { ...given, ...authorization(secrets, url, authSecret) };
  const got = await download(transport, store.content, url, { known, headers, maxBytes: MAX_BYTES, signal: opts.signal, progress });
  opts.report.statusDone(`downloading ${url.host}${url.pathname}`);
  if (got !== known) await store.meta.contentKeys.put(key, JSON.stringify(got));
  return got;
}

/** Secrets by their names: HTTP_AUTH_HEADER_<host> is the whole header, HTTP_AUTH_TOKEN_<host> a bearer's token. Source: BuildKit source/http. */
function authorization(secrets: SecretStore, { hostname }: URL, authSecret: string | null): Readonly<Record<string, string>> {
  const text = (id: string) => secrets.get(id)?.toString("utf8").trim();
  const token = text(`HTTP_AUTH_TOKEN_${hostname}`);
  const header = authSecret === null ? (token === undefined ? text(`HTTP_AUTH_HEADER_${hostname}`) : `Bearer ${token}`) : text(authSecret);
  return header === undefined ? {} : { authorization: header };
}

function pinOf({ mode, uid, gid }: FileRequest, file: RemoteFile): Digest {
  return digestOf(JSON.stringify(["tbuild.http.v1", file.digest, file.filename, file.mtime, mode, uid, gid]));
}

/** The file must be here to be read; see {@link SourceMeta}. */
async function digestWith(
  deps: HttpSourceDeps,
  wanted: FileRequest,
  file: RemoteFile,
  { algorithm, suffix }: { readonly algorithm: string; readonly suffix: Uint8Array },
  opts: StepOpts,
): Promise<string> {
  await bringHere(deps, wanted, file, opts);
  const hash = createHash(algorithm);
  for await (const chunk of deps.store.content.read(file.digest, opts)) hash.update(chunk);
  return `${algorithm}:${hash.update(suffix).digest("hex")}`;
}

async function bringHere(deps: HttpSourceDeps, wanted: FileRequest, file: RemoteFile, opts: StepOpts): Promise<void> {
  if (await hasBlob(deps.store.content, file)) return;
  const got = await get(deps, wanted, opts);
  if (got.digest !== file.digest) throw mismatch(wanted, file.digest, got.digest);
}

async function snapshotOf(
  deps: HttpSourceDeps,
  wanted: FileRequest,
  file: RemoteFile,
  pin: Digest,
  opts: StepOpts,
): Promise<string> {
  await bringHere(deps, wanted, file, opts);
  return await writeFileSnapshot(deps.store, { ...wanted, ...file }, `http-${pin}`, opts);
}

function mismatch({ url }: FileRequest, wanted: Digest, got: Digest): TbuildError {
  return new TbuildError("digest_mismatch", `Cannot use "${url.origin}${url.pathname}": expected ${wanted}, got ${got}`, {
    hint: "The file changed on the server, or the checksum is that of another file",
  });
}
