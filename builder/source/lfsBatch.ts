import { cancelled, TbuildError } from "../../cache/errors.js";
import { type Digest, isDigest } from "../../cache/oci/digest.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { type HttpTransport, readBody } from "../registry/http.js";

/** A server of LFS objects. */
export interface LfsServer {
  /** Base URL, without "/objects/batch". */
  readonly url: string;
  /** Authorization and the like. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How an object is fetched. */
export interface LfsAction {
  readonly href: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Why it cannot be; null when it can. */
  readonly error: string | null;
}

const TYPE = "application/vnd.git-lfs+json";
const MAX_ANSWER = 4 << 20;

/** Statuses of a server that has no LFS. */
const NONE = new Set([404, 410, 501]);

/**
 * Asks where objects are; null where there is no LFS server. Source: git-lfs docs/api/batch.md
 * @throws {TbuildError} unauthorized, unavailable, corrupt
 */
export async function askBatch(
  transport: HttpTransport,
  { url, headers }: LfsServer,
  objects: readonly { readonly digest: Digest; readonly size: number }[],
  { signal }: StepOpts,
): Promise<ReadonlyMap<Digest, LfsAction> | null> {
  const wanted = objects.map(({ digest, size }) => ({ oid: digest.slice("sha256:".length), size }));
  const request = {
    method: "POST",
    url: new URL(`${url}/objects/batch`),
    headers: { accept: TYPE, "content-type": TYPE, ...headers },
    body: JSON.stringify({ operation: "download", transfers: ["basic"], objects: wanted }),
  } as const;
  const response = await transport.request(request, { signal }).catch((cause: unknown) => {
    throw signal.aborted ? cancelled(signal) : new TbuildError("unavailable", `Cannot ask the LFS server "${redacted(url)}": ${(cause as Error).message}`, { cause });
  });
  const body = await readBody(response, MAX_ANSWER);
  if (NONE.has(response.status)) return null;
  if (response.status !== 200) throw refusal(url, response.status);
  return actionsIn(body.toString("utf8"), url);
}

function refusal(url: string, status: number): TbuildError {
  const code = status === 401 || status === 403 ? "unauthorized" : "unavailable";
  const hint = code === "unauthorized" ? { hint: "Give a token with --secret id=GIT_AUTH_TOKEN,env=VARIABLE" } : {};
  return new TbuildError(code, `Cannot ask the LFS server "${redacted(url)}": it answered ${status}`, hint);
}

function actionsIn(text: string, url: string): ReadonlyMap<Digest, LfsAction> {
  try {
    const { objects } = JSON.parse(text) as { readonly objects: readonly BatchObject[] };
    return new Map(objects.map((object) => [digestOfObject(object), actionOf(object)]));
  } catch (cause) {
    throw new TbuildError("corrupt", `Cannot read what the LFS server "${redacted(url)}" answered`, { cause });
  }
}

interface BatchObject {
  readonly oid: string;
  readonly actions?: { readonly download?: { readonly href: string; readonly header?: Readonly<Record<string, string>> } };
  readonly error?: { readonly code: number; readonly message: string };
}

function digestOfObject({ oid }: BatchObject): Digest {
  const digest = `sha256:${oid}`;
  if (!isDigest(digest)) throw new TypeError(`not an object's name: ${oid}`);
  return digest;
}

function actionOf({ actions, error }: BatchObject): LfsAction {
  const href = actions?.download?.href;
  if (href !== undefined && /^https?:/.test(href)) return { href, headers: actions?.download?.header ?? {}, error: null };
  return { href: "", headers: {}, error: error?.message ?? "it does not say where the object is" };
}
