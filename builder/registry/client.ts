import { setTimeout as delay } from "node:timers/promises";
import { cancelled, hasCode } from "../../cache/errors.js";
import type { ContentStore, Ingest, Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import { createAuthenticator } from "./auth.js";
import { blobBytes, blobSize, createFlights } from "./blob.js";
import { dockerCredentials, type CredentialStore } from "./credentials.js";
import { endpointsOf, tlsSettings, type Endpoint, type RegistryConfigs } from "./endpoint.js";
import { wrongDigest } from "./errors.js";
import { foreignBytes, foreignUrls } from "./foreignBlob.js";
import { createTransport, type HttpTransport } from "./http.js";
import { headManifest, pullManifest } from "./pullManifest.js";
import { retrying, type ReportedOpts } from "./retry.js";
import { createSession, firstOf, targetOf } from "./session.js";

/** Reads images from registries: mirrors first, then the registry itself. */
export interface RegistryClient extends Disposable {
  /**
   * What a tag or digest names, without its bytes; null when the registry does not say.
   * @throws {TbuildError} not_found, unauthorized, unavailable, cancelled
   */
  head(reference: Reference, opts?: ReportedOpts): Promise<Descriptor | null>;
  /**
   * A manifest or index by digest, else by tag. Bytes are verified against the digest.
   * @throws {TbuildError} as head, digest_mismatch, corrupt, unsupported
   */
  manifest(reference: Reference, opts?: ReportedOpts): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>;
  /** Bytes of a blob, as the registry says. @throws {TbuildError} as head, corrupt when it does not say */
  blobSize(reference: Reference, digest: Digest, opts?: ReportedOpts): Promise<number>;
  /**
   * Brings a blob into the content store unless it is there. Questions for one blob at the same time are one download, which
   * goes on where a process that was killed had stopped. What the registry does not have is asked for at the descriptor's
   * URLs. @throws {TbuildError} as manifest
   */
  fetchBlob(reference: Reference, descriptor: Descriptor, content: ContentStore, opts?: FetchOpts): Promise<void>;
}

/** Options of {@link RegistryClient.fetchBlob}. */
export interface FetchOpts extends ReportedOpts {
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

  const ask = <T>(reference: Reference, { report }: ReportedOpts, question: (endpoint: Endpoint) => Promise<T>) =>
    firstOf(endpointsOf(reference.registry, registries), question, ({ message }) => {
      report?.log(2, Buffer.from(`${message}; asking the next registry\n`));
    });

  async function blobFrom(endpoint: Endpoint, reference: Reference, descriptor: Descriptor, content: ContentStore, opts: FetchOpts) {
    const bytes = (offset: number) => blobBytes(session, endpoint, reference, descriptor, { ...retrying(opts), offset });
    await storeBlob(bytes, descriptor, content, opts).catch((error: unknown) => {
      if (!hasCode(error, "digest_mismatch")) throw error;
      throw wrongDigest(targetOf(endpoint, { reference }), `blob ${descriptor.digest}`, descriptor.digest, "other bytes");
    });
  }
  /** A registry need not have a layer that may not be distributed: its descriptor says where it is. */
  async function fetchBlob(reference: Reference, descriptor: Descriptor, content: ContentStore, opts: FetchOpts): Promise<void> {
    const urls = foreignUrls(descriptor);
    try {
      return await ask(reference, opts, (endpoint) => blobFrom(endpoint, reference, descriptor, content, opts));
    } catch (error) {
      if (urls.length === 0 || !hasCode(error, "not_found")) throw error;
    }
    for (const [index, url] of urls.entries()) {
      try {
        return await storeBlob((offset) => after(offset, foreignBytes(http, url, descriptor, opts)), descriptor, content, opts);
      } catch (error) {
        const isLast = index === urls.length - 1;
        if (isLast || hasCode(error, "cancelled")) throw error;
      }
    }
  }
  return {
    head: (reference, opts = {}) => ask(reference, opts, (endpoint) => headManifest(session, endpoint, reference, opts)),
    manifest: (reference, opts = {}) => ask(reference, opts, (endpoint) => pullManifest(session, endpoint, reference, opts)),
    blobSize: (reference, digest, opts = {}) => ask(reference, opts, (endpoint) => blobSize(session, endpoint, reference, digest, opts)),
    fetchBlob: (reference, descriptor, content, opts = {}) =>
      flights(descriptor.digest, opts, async () => {
        if (await hasBlob(content, descriptor)) return;
        await fetchBlob(reference, descriptor, content, opts);
      }),
    [Symbol.dispose]: () => http.close(),
  };
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

/** Bytes from an offset on. */
type BytesFrom = (offset: number) => AsyncIterable<Uint8Array>;

/** Writes a blob's bytes, unless another process does. @throws {TbuildError} digest_mismatch, and what `source` throws */
async function storeBlob(source: BytesFrom, descriptor: Descriptor, content: ContentStore, opts: FetchOpts): Promise<void> {
  const outcome = await tryStore(source, descriptor, content, opts);
  if (outcome === "spoilt") await tryStore(source, descriptor, content, opts);
}

/** "spoilt": what a killed process had left of the blob does not belong to it, and is gone now. */
async function tryStore(source: BytesFrom, descriptor: Descriptor, content: ContentStore, opts: FetchOpts): Promise<"here" | "spoilt"> {
  await using ingest = await openIngest(content, descriptor, opts);
  if (ingest === null) return "here";
  const offset = ingest.size;
  for await (const chunk of source(offset)) {
    await ingest.write(chunk);
    opts.onProgress?.(ingest.size);
  }
  try {
    await ingest.commit(descriptor);
    return "here";
  } catch (error) {
    if (offset > 0 && hasCode(error, "digest_mismatch")) return "spoilt";
    throw error;
  }
}

/** What comes after the first bytes. */
async function* after(bytes: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let skip = bytes;
  for await (const chunk of source) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

const POLL_MS = 200;

/** A write of this blob, or null when another process finished it while we waited for its write to end. */
async function openIngest(content: ContentStore, descriptor: Descriptor, opts: Opts): Promise<Ingest | null> {
  for (;;) {
    if (await hasBlob(content, descriptor)) return null;
    try {
      return await content.ingest(`blob-${descriptor.digest.replace(":", "-")}`, { ...opts, resume: true });
    } catch (error) {
      if (!hasCode(error, "unavailable")) throw error;
    }
    await delay(POLL_MS, undefined, opts.signal ? { signal: opts.signal } : {}).catch(() => {
      throw cancelled(opts.signal);
    });
  }
}
