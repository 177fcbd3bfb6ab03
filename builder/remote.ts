import path from "node:path";
import type { Descriptor } from "../cache/oci/descriptor.js";
import type { Platform } from "../cache/oci/platform.js";
import type { Reference } from "../cache/oci/reference.js";
import type { Store } from "../cache/store.js";
import type { OciLayout, ResolvedImage } from "../frontend/options.js";
import type { StepOpts } from "../solver/opRunner.js";
import type { Push } from "./exporter/deps.js";
import { sourceAnnotation } from "./image/origin.js";
import type { CredentialStore } from "./registry/credentials.js";
import { createRegistryClient, type FetchOpts, type RegistryClient } from "./registry/client.js";
import { insecurely, type RegistryConfigs, unmirrored } from "./registry/endpoint.js";
import { createTransport, type HttpTransport } from "./registry/http.js";
import { createRegistryWriter } from "./registry/push.js";
import { createRemoteImages } from "./registry/resolve.js";
import { type BringBlob, bringBlob, createBlobSource } from "./source/blob.js";
import { createImageSource, refetchBlob } from "./source/image.js";
import { createImageResolver } from "./source/imageStore.js";
import { createLayoutSource, layoutDirectories, type LayoutDeps, layoutOrigin, type Layouts, resolveLayout } from "./source/ociLayout.js";
import { pullImage, type PulledImage } from "./source/pull.js";
import type { Source } from "./source/source.js";

/** What one build may bring in from outside. What a name means is asked once. */
export interface RemoteAccess extends Disposable {
  readonly client: RegistryClient;
  /** Images, layouts of images, and blobs of both. */
  readonly sources: readonly Source[];
  /** Brings one blob into the content store. @throws {TbuildError} not_found, unauthorized, unavailable, digest_mismatch */
  readonly bringBlob: BringBlob;
  /** For downloads. */
  readonly transport: HttpTransport;
  /** @throws {TbuildError} not_found, unauthorized, unavailable */
  resolveImage(reference: string, platform: Platform, opts: StepOpts): Promise<ResolvedImage>;
  /** @throws {TbuildError} not_found, corrupt, digest_mismatch */
  resolveLayout(layout: OciLayout & { readonly session?: string }, platform: Platform, opts: StepOpts): Promise<ResolvedImage>;
  /** Brings back the blob of a base layer that was pruned, or not fetched before. */
  readonly refetch: (blob: Descriptor, opts: FetchOpts) => Promise<void>;
  readonly push: Push;
  /** Brings an image of a registry here, verified and unpacked, without a name. @throws {TbuildError} as resolveImage */
  readonly pull: (reference: Reference, platform: Platform, opts: StepOpts) => Promise<PulledImage>;
  /** A client that asks registries themselves and no mirrors. It ends with the build. */
  direct(registry: string, insecure: boolean): RegistryClient;
  /** Where blobs come from that no registry or layout has, by what `sourceAnnotation` says of them. */
  readonly origins: Map<string, (blob: Descriptor, opts: FetchOpts) => Promise<void>>;
}

/** Options of {@link remoteAccess}. */
export interface RemoteOptions {
  /** Registries are asked even for what the image store has. */
  readonly pull: boolean;
  /** Default: those of Docker's config.json. */
  readonly credentials?: CredentialStore | undefined;
  /** Default: directories of this machine. */
  readonly layouts?: Layouts;
}

/** Images and downloads for one build. */
export function remoteAccess(store: Store, registries: RegistryConfigs, { pull, credentials, layouts = layoutDirectories }: RemoteOptions): RemoteAccess {
  const logins = credentials === undefined ? {} : { credentials };
  const client = createRegistryClient({ registries, ...logins });
  const remote = createRemoteImages(client, store.content);
  const lookup = { store, remote, policy: pull ? "pull" : "local-first" } as const;
  const transport = createTransport();
  const direct = new Map<string, RegistryClient>();
  const origins: RemoteAccess["origins"] = new Map();
  return {
    client,
    transport,
    origins,
    direct(registry, insecure) {
      const key = JSON.stringify([registry, insecure]);
      const found = direct.get(key) ?? createRegistryClient({ registries: unmirrored(registry, insecure ? insecurely(registry, registries) : registries), ...logins });
      direct.set(key, found);
      return found;
    },
    bringBlob: (request, opts) => bringBlob({ store, client, layouts }, request, opts),
    sources: [createImageSource({ ...lookup, client }), createLayoutSource({ store, layouts }), createBlobSource({ store, client, layouts })],
    resolveImage: (reference, platform, opts) => createImageResolver(lookup, opts)(reference, platform),
    resolveLayout: (layout, platform, opts) => resolveLayout({ store, layouts }, layout, platform, opts),
    refetch: async (blob, opts) => {
      const own = origins.get(blob.annotations?.[sourceAnnotation] ?? "");
      await (own === undefined ? refetch({ client, store, layouts }, blob, opts) : own(blob, opts));
    },
    pull: (reference, platform, opts) => pullImage({ store, client, remote }, reference, platform, opts),
    async push(image, names, { insecure = false, ...opts }) {
      using writer = createRegistryWriter({ registries, ...logins, content: store.content, insecure });
      await writer.push(image, names, opts);
    },
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      for (const one of direct.values()) one[Symbol.dispose]();
      transport.close();
    },
  };
}

/** An absolute path is a directory of this machine, whoever asks. */
async function refetch({ client, store, layouts }: LayoutDeps & { readonly client: RegistryClient }, blob: Descriptor, opts: FetchOpts): Promise<void> {
  const origin = blob.annotations?.[sourceAnnotation] ?? "";
  if (!origin.startsWith(layoutOrigin)) return await refetchBlob(client, store, blob, opts);
  const name = origin.slice(layoutOrigin.length);
  const layout = await (path.isAbsolute(name) ? layoutDirectories : layouts).open(name, "", opts);
  await refetchBlob(layout, store, { ...blob, annotations: { [sourceAnnotation]: "localhost/layout" } }, opts);
}
