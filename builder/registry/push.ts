import { setMaxListeners } from "node:events";
import type { FileContentStore } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { formatReference, type Reference } from "../../cache/oci/reference.js";
import { createAuthenticator } from "./auth.js";
import type { ClientOptions } from "./client.js";
import { dockerCredentials } from "./credentials.js";
import { endpointsOf, insecurely, tlsSettings } from "./endpoint.js";
import { createTransport } from "./http.js";
import { pushBlob, type PushBlob } from "./pushBlob.js";
import { pushManifest } from "./pushManifest.js";
import type { PushOpts, PushPoint } from "./pushPoint.js";
import { createSession } from "./session.js";

/** What a repository is to hold. */
export interface PushImage {
  /** Configs and layers; those that are there already are not sent. */
  readonly blobs: readonly PushBlob[];
  /** Manifests below the root, which are sent first; in the content store. */
  readonly children: readonly Descriptor[];
  /** What the names stand for; in the content store. */
  readonly root: Descriptor;
}

/** Writes images to registries; mirrors are never written to. */
export interface RegistryWriter extends Disposable {
  /**
   * Gives an image these names, one after the other; a name without a tag stands for the digest. Every blob goes to a
   * repository once, however many tags it gets there, and never twice to one registry that can mount.
   * @throws {TbuildError} unauthorized, unavailable, not_found, digest_mismatch, cancelled
   */
  push(image: PushImage, names: readonly Reference[], opts?: PushOpts): Promise<void>;
}

/** Options of {@link createRegistryWriter}. */
export interface WriterOptions extends ClientOptions {
  readonly content: FileContentStore;
  /** Plain HTTP where there is no TLS, and any certificate. */
  readonly insecure?: boolean;
}

/** Blobs that are sent at a time. */
const UPLOADS = 5;

/** A writer whose connections stay open until it is disposed. */
export function createRegistryWriter({ registries, credentials, transport, content, insecure = false }: WriterOptions): RegistryWriter {
  const configs = (registry: string) => (insecure ? insecurely(registry, registries) : registries);
  const http = transport ?? createTransport((host) => tlsSettings(host, configs(host)));
  const session = createSession(http, createAuthenticator(http, credentials ?? dockerCredentials()));
  return {
    async push(image, names, opts = {}) {
      const done: Reference[] = [];
      for (const group of byRepository(names)) {
        const [reference] = group;
        const endpoint = endpointsOf(reference.registry, configs(reference.registry)).at(-1)!;
        const point: PushPoint = { session, endpoint, reference, content };
        const earlier = done.find(({ registry }) => registry === reference.registry)?.repository;
        await pushBlobs(point, image.blobs, earlier, opts);
        for (const child of image.children) await pushManifest(point, child, null, opts);
        for (const { tag } of group) await pushManifest(point, image.root, tag, opts);
        done.push(reference);
      }
    },
    [Symbol.dispose]: () => http.close(),
  };
}

type Group = readonly [Reference, ...Reference[]];

/** Names of one repository together, in the order in which the repositories come. */
function byRepository(names: readonly Reference[]): readonly Group[] {
  const groups = new Map<string, [Reference, ...Reference[]]>();
  for (const name of names) {
    const key = formatReference({ ...name, tag: null, digest: null });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [name]);
    else group.push(name);
  }
  return [...groups.values()];
}

/** The first failure ends the others, and is told when none of them works any more. */
async function pushBlobs(point: PushPoint, blobs: readonly PushBlob[], earlier: string | undefined, opts: PushOpts): Promise<void> {
  const { default: PQueue } = await import("p-queue");
  const queue = new PQueue({ concurrency: UPLOADS });
  const abort = new AbortController();
  const signal = opts.signal === undefined ? abort.signal : AbortSignal.any([opts.signal, abort.signal]);
  setMaxListeners(0, signal);
  const failures: unknown[] = [];
  const unique = new Map(blobs.map((blob) => [blob.descriptor.digest, blob]));
  opts.report?.status("pushing layers", 0, 0);
  const pushed = [...unique.values()].map((blob) =>
    queue.add(() => pushBlob(point, blob, earlier, { ...opts, signal })).catch((error: unknown) => {
      failures.push(error);
      abort.abort();
    }),
  );
  await Promise.all(pushed);
  if (failures.length > 0) throw failures[0];
  opts.report?.statusDone("pushing layers");
}
