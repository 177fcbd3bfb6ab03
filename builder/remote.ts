import type { Opts } from "../cache/content/store.js";
import type { Descriptor } from "../cache/oci/descriptor.js";
import type { Platform } from "../cache/oci/platform.js";
import type { Store } from "../cache/store.js";
import type { OciLayout, ResolvedImage } from "../frontend/options.js";
import type { StepOpts } from "../solver/opRunner.js";
import { createRegistryClient, type RegistryClient } from "./registry/client.js";
import type { RegistryConfigs } from "./registry/endpoint.js";
import { createTransport } from "./registry/http.js";
import { createRemoteImages } from "./registry/resolve.js";
import { createHttpSource } from "./source/http.js";
import { createImageSource, refetchBlob, sourceAnnotation } from "./source/image.js";
import { createImageResolver } from "./source/imageStore.js";
import { createLayoutClient } from "./source/layoutClient.js";
import { createLayoutSource, layoutOrigin, resolveLayout } from "./source/ociLayout.js";
import type { Source } from "./source/source.js";

/** What one build may bring in from outside. What a name means is asked once. */
export interface RemoteAccess extends Disposable {
  readonly sources: readonly Source[];
  /** @throws {TbuildError} not_found, unauthorized, unavailable */
  resolveImage(reference: string, platform: Platform, opts: StepOpts): Promise<ResolvedImage>;
  /** @throws {TbuildError} not_found, corrupt, digest_mismatch */
  resolveLayout(layout: OciLayout, platform: Platform, opts: StepOpts): Promise<ResolvedImage>;
  /** Brings back the blob of a base layer that was pruned. */
  readonly refetch: (blob: Descriptor, opts: Opts) => Promise<void>;
}

/** Images and downloads for one build; with `pull`, registries are asked even for what the image store has. */
export function remoteAccess(store: Store, registries: RegistryConfigs, pull: boolean): RemoteAccess {
  const client = createRegistryClient({ registries });
  const remote = createRemoteImages(client, store.content);
  const lookup = { store, remote, policy: pull ? "pull" : "local-first" } as const;
  return {
    sources: [createImageSource({ ...lookup, client }), createHttpSource({ store, transport: createTransport() }), createLayoutSource(store)],
    resolveImage: (reference, platform, opts) => createImageResolver(lookup, opts)(reference, platform),
    resolveLayout: (layout, platform, opts) => resolveLayout(store, layout, platform, opts),
    refetch: (blob, opts) => refetch(client, store, blob, opts),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

function refetch(client: RegistryClient, store: Store, blob: Descriptor, opts: Opts): Promise<void> {
  const origin = blob.annotations?.[sourceAnnotation] ?? "";
  if (!origin.startsWith(layoutOrigin)) return refetchBlob(client, store, blob, opts);
  return refetchBlob(createLayoutClient(origin.slice(layoutOrigin.length)), store, { ...blob, annotations: { [sourceAnnotation]: "localhost/layout" } }, opts);
}
