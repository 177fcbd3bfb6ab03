import type { Store } from "../../cache/store.js";
import { dockerCredentials } from "../registry/credentials.js";
import { type RegistryConfigs, tlsSettings } from "../registry/endpoint.js";
import { createTransport, type HttpTransport } from "../registry/http.js";
import type { BuildRequest } from "../request.js";
import { givenTo } from "../secrets/given.js";
import type { BuilderPlace } from "./connect.js";
import type { OfferedInputs } from "./offeredInputs.js";
import { agentOffers, secretOffers } from "./session/keptSecrets.js";
import { type BlobWriter, contentOffers, type OfferedStores } from "./session/contentStores.js";
import { directoryOffers } from "./session/directories.js";
import { loginOffers } from "./session/logins.js";
import { outputOffers, type OutputReceiver } from "./session/outputFiles.js";
import { registryWords } from "./session/registryWords.js";
import type { Offers } from "./session/serveSession.js";
import { uploadOffers } from "./session/uploads.js";

/** What builds on a builder elsewhere are made of. */
export interface RemoteParts {
  readonly place: BuilderPlace;
  /** Images that are not pushed come here. */
  readonly store: Store;
  readonly registries: RegistryConfigs;
}

/** What one build offers to its builder. */
export interface OfferParts extends Pick<RemoteParts, "store" | "registries"> {
  readonly request: BuildRequest;
  readonly inputs: OfferedInputs;
  readonly transport: HttpTransport;
  readonly receivers: ReadonlyMap<number, OutputReceiver>;
  readonly exports: BlobWriter | null;
  /** Directories of caches. */
  readonly caches: OfferedStores;
}

/** All that the builder of a request may ask of this machine. */
export function offersOf({ store, registries, request, inputs, transport, receivers, exports, caches }: OfferParts): Offers {
  const { secrets, agents } = givenTo(request);
  const { directories, layouts, upload } = inputs;
  const writers = new Map([...caches.writers, ...(exports === null ? [] : [["export", exports] as const])]);
  const readers = new Map([...layouts, ...caches.readers]);
  return {
    ...(directories.size === 0 ? {} : directoryOffers(directories, store.bulk)),
    ...loginOffers({ credentials: dockerCredentials(), transport, words: registryWords(registries, transport) }),
    ...secretOffers(secrets),
    ...agentOffers(agents),
    ...(upload === null ? {} : uploadOffers(upload.id, upload.stdin)),
    ...contentOffers({ readers, writers }),
    ...(receivers.size === 0 ? {} : outputOffers(receivers)),
  };
}

/** For registries and downloads; disposing closes its connections. */
export function openTransport(registries: RegistryConfigs): Disposable & { readonly http: HttpTransport } {
  const http = createTransport((host) => tlsSettings(host, registries));
  return { http, [Symbol.dispose]: () => http.close() };
}
