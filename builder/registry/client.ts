import { setTimeout as delay } from "node:timers/promises";
import { cancelled, hasCode } from "../../cache/errors.js";
import type { ContentStore, Ingest, Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf, isDigest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import { createAuthenticator } from "./auth.js";
import { blobBytes, createFlights } from "./blob.js";
import { dockerCredentials, type CredentialStore } from "./credentials.js";
import { endpointsOf, tlsSettings, type Endpoint, type RegistryConfigs } from "./endpoint.js";
import { badAnswer, unreachableRegistry, wrongDigest } from "./errors.js";
import { foreignBytes, foreignUrls } from "./foreignBlob.js";
import { createTransport, readBody, type HttpResponse, type HttpTransport } from "./http.js";
import { manifestLimit, manifestTypes } from "./manifest.js";
import { createSession, firstOf, targetOf, type RegistryCall } from "./session.js";

/** Reads images from registries: mirrors first, then the registry itself. */
export interface RegistryClient extends Disposable {
  /**
   * What a tag or digest names, without its bytes; null when the registry does not say.
   * @throws {TbuildError} not_found, unauthorized, unavailable, cancelled
   */
  head(reference: Reference, opts?: Opts): Promise<Descriptor | null>;
  /**
   * A manifest or index by digest, else by tag. Bytes are verified against the digest.
   * @throws {TbuildError} as head, digest_mismatch, corrupt
   */
  manifest(reference: Reference, opts?: Opts): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>;
  /**
   * Brings a blob into the content store unless it is there. Questions for one blob at the same time are one download. What the
   * registry does not have is asked for at the descriptor's URLs. @throws {TbuildError} as manifest
   */
  fetchBlob(reference: Reference, descriptor: Descriptor, content: ContentStore, opts?: FetchOpts): Promise<void>;
}

/** Options of {@link RegistryClient.fetchBlob}. */
export interface FetchOpts extends Opts {
  /** Bytes that have come so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** What a client is made of; all but `registries` for tests and for sharing connections. */
export interface ClientOptions {
  readonly registries: RegistryConfigs;
  readonly credentials?: CredentialStore;
  readonly transport?: HttpTransport;
}

/** A client whose connections stay open until it is disposed. */
export function createRegistryClient({ registries, credentials, transport }: ClientOptions): RegistryClient {
  const http = transport ?? createTransport((host) => tlsSettings(host, registries));
  const session = createSession(http, createAuthenticator(http, credentials ?? dockerCredentials()));
  const flights = createFlights();

  const ask = <T>(reference: Reference, question: (endpoint: Endpoint) => Promise<T>) =>
    firstOf(endpointsOf(reference.registry, registries), question);

  async function headFrom(endpoint: Endpoint, reference: Reference, opts: Opts): Promise<Descriptor | null> {
    const response = await session.call(endpoint, manifestCall(reference, "HEAD"), opts);
    response.body.resume();
    const digest = String(response.headers["docker-content-digest"] ?? "");
    const size = Number(response.headers["content-length"] ?? 0);
    return isDigest(digest) ? { mediaType: contentType(response), digest, size } : null;
  }
  async function manifestFrom(endpoint: Endpoint, reference: Reference, opts: Opts) {
    const target = targetOf(endpoint, { reference });
    const response = await session.call(endpoint, manifestCall(reference, "GET"), opts);
    const bytes = await readBody(response, manifestLimit).catch((error: unknown) => {
      if (hasCode(error, "resource_exhausted")) throw badAnswer(target, "the manifest", `larger than ${manifestLimit} bytes`);
      throw opts.signal?.aborted ? cancelled(opts.signal) : unreachableRegistry(target, "the manifest", error);
    });
    const digest = digestOf(bytes);
    const claimed = String(response.headers["docker-content-digest"] ?? "");
    const wanted = reference.digest ?? (isDigest(claimed) ? claimed : digest);
    if (digest !== wanted) throw wrongDigest(target, "the manifest", wanted, digest);
    return { descriptor: { mediaType: contentType(response), digest, size: bytes.length }, bytes };
  }
  async function blobFrom(endpoint: Endpoint, reference: Reference, descriptor: Descriptor, content: ContentStore, opts: FetchOpts) {
    const bytes = blobBytes(session, endpoint, reference, descriptor, opts);
    await storeBlob(bytes, descriptor, content, opts).catch((error: unknown) => {
      if (!hasCode(error, "digest_mismatch")) throw error;
      throw wrongDigest(targetOf(endpoint, { reference }), "a blob", descriptor.digest, "other bytes");
    });
  }
  /** A registry need not have a layer that may not be distributed: its descriptor says where it is. */
  async function fetchBlob(reference: Reference, descriptor: Descriptor, content: ContentStore, opts: FetchOpts): Promise<void> {
    const urls = foreignUrls(descriptor);
    try {
      return await ask(reference, (endpoint) => blobFrom(endpoint, reference, descriptor, content, opts));
    } catch (error) {
      if (urls.length === 0 || !hasCode(error, "not_found")) throw error;
    }
    for (const [index, url] of urls.entries()) {
      try {
        return await storeBlob(foreignBytes(http, url, descriptor, opts), descriptor, content, opts);
      } catch (error) {
        const isLast = index === urls.length - 1;
        if (isLast || hasCode(error, "cancelled")) throw error;
      }
    }
  }
  return {
    head: (reference, opts = {}) => ask(reference, (endpoint) => headFrom(endpoint, reference, opts)),
    manifest: (reference, opts = {}) => ask(reference, (endpoint) => manifestFrom(endpoint, reference, opts)),
    fetchBlob: (reference, descriptor, content, opts = {}) =>
      flights(descriptor.digest, opts, async () => {
        if (await hasBlob(content, descriptor)) return;
        await fetchBlob(reference, descriptor, content, opts);
      }),
    [Symbol.dispose]: () => http.close(),
  };
}

function manifestCall(reference: Reference, method: "GET" | "HEAD"): RegistryCall {
  const path = `manifests/${reference.digest ?? reference.tag ?? "latest"}`;
  const headers = { accept: manifestTypes.join(", ") };
  return { reference, method, path, headers, actions: "pull", what: "the manifest" };
}

/** True when the content store has the blob. */
export async function hasBlob(content: ContentStore, { digest }: Pick<Descriptor, "digest">): Promise<boolean> {
  try {
    await content.info(digest);
    return true;
  } catch (error) {
    if (hasCode(error, "not_found")) return false;
    throw error;
  }
}

/** Writes a blob's bytes, unless another process does. @throws {TbuildError} digest_mismatch, and what `source` throws */
async function storeBlob(source: AsyncIterable<Uint8Array>, descriptor: Descriptor, content: ContentStore, opts: FetchOpts): Promise<void> {
  await using ingest = await openIngest(content, descriptor, opts);
  if (ingest === null) return;
  let bytes = 0;
  for await (const chunk of source) {
    await ingest.write(chunk);
    opts.onProgress?.((bytes += chunk.length));
  }
  await ingest.commit(descriptor);
}

const POLL_MS = 200;

/** A write of this blob, or null when another process finished it while we waited for its write to end. */
async function openIngest(content: ContentStore, descriptor: Descriptor, opts: Opts): Promise<Ingest | null> {
  for (;;) {
    if (await hasBlob(content, descriptor)) return null;
    try {
      return await content.ingest(`blob-${descriptor.digest.replace(":", "-")}`, opts);
    } catch (error) {
      if (!hasCode(error, "unavailable")) throw error;
    }
    await delay(POLL_MS, undefined, opts.signal ? { signal: opts.signal } : {}).catch(() => {
      throw cancelled(opts.signal);
    });
  }
}

function contentType(response: HttpResponse): string {
  return (response.headers["content-type"] ?? "").split(";")[0]!.trim();
}
