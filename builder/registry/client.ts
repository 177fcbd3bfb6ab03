import { setTimeout as delay } from "node:timers/promises";
import { cancelled, hasCode } from "../../cache/errors.js";
import type { ContentStore, Ingest, Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Reference } from "../../cache/oci/reference.js";
import { createAuthenticator } from "./auth.js";
import { blobBytes, createFlights } from "./blob.js";
import { dockerCredentials, type CredentialStore } from "./credentials.js";
import { endpointsOf, tlsSettings, type Endpoint, type RegistryConfigs } from "./endpoint.js";
import { wrongDigest } from "./errors.js";
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
  /**
   * Brings a blob into the content store unless it is there. Questions for one blob at the same time are one download, which
   * goes on where a process that was killed had stopped.
   * @throws {TbuildError} as manifest
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

  /** "spoilt": what was here of the blob does not belong to it, and is gone now. */
  async function blobFrom(
    endpoint: Endpoint,
    reference: Reference,
    descriptor: Descriptor,
    content: ContentStore,
    opts: FetchOpts,
  ): Promise<"here" | "spoilt"> {
    await using ingest = await openIngest(content, descriptor, opts);
    if (ingest === null) return "here";
    const offset = ingest.size;
    for await (const chunk of blobBytes(session, endpoint, reference, descriptor, { ...retrying(opts), offset })) {
      await ingest.write(chunk);
      opts.onProgress?.(ingest.size);
    }
    try {
      await ingest.commit(descriptor);
      return "here";
    } catch (error) {
      if (!hasCode(error, "digest_mismatch")) throw error;
      if (offset > 0) return "spoilt";
      throw wrongDigest(targetOf(endpoint, { reference }), `blob ${descriptor.digest}`, descriptor.digest, "other bytes");
    }
  }
  return {
    head: (reference, opts = {}) => ask(reference, opts, (endpoint) => headManifest(session, endpoint, reference, opts)),
    manifest: (reference, opts = {}) => ask(reference, opts, (endpoint) => pullManifest(session, endpoint, reference, opts)),
    fetchBlob: (reference, descriptor, content, opts = {}) =>
      flights(descriptor.digest, opts, async () => {
        if (await hasBlob(content, descriptor)) return;
        await ask(reference, opts, async (endpoint) => {
          const outcome = await blobFrom(endpoint, reference, descriptor, content, opts);
          if (outcome === "spoilt") await blobFrom(endpoint, reference, descriptor, content, opts);
        });
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
