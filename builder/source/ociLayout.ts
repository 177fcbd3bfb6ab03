import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { hostPlatform, type Platform } from "../../cache/oci/platform.js";
import { formatReference, parseReference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { OciLayout, ResolvedImage } from "../../frontend/options.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { createRemoteImages } from "../registry/resolve.js";
import { remoteSource } from "./image.js";
import { createLayoutClient, findInLayout } from "./layoutClient.js";
import type { Source } from "./source.js";

/** Attribute of the source op: absolute path of the layout. */
const STORE = "oci.store";

/** Where a layer's blob came from, for when it is needed again. */
export const layoutOrigin = "oci-layout:";

/** What an image of a layout is, for the frontend. @throws {TbuildError} not_found, corrupt, digest_mismatch */
export async function resolveLayout(store: Store, layout: OciLayout, platform: Platform, opts: StepOpts): Promise<ResolvedImage> {
  const digest = layout.digest ?? findInLayout(layout.path, layout.tag);
  const reference = { registry: "localhost", repository: `layout/${repositoryName(layout.path)}`, tag: layout.tag, digest };
  const images = createRemoteImages(createLayoutClient(layout.path), store.content);
  const { root, config } = await images.resolve(reference, platform, opts);
  return { reference: formatReference({ ...reference, digest: null }), digest: root, config };
}

/** Text that a reference may have as its path. */
function repositoryName(dir: string): string {
  return path.basename(dir).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "image";
}

/** `oci-layout://name@digest`: an image of the layout directory that the attribute "oci.store" names. */
export function createLayoutSource(store: Store): Source {
  return {
    schemes: ["oci-layout"],
    async resolve({ identifier, attrs, platform }, opts) {
      const dir = attrs[STORE];
      if (dir === undefined) throw new TbuildError("invalid_argument", `Cannot read "${identifier}": it does not say in which directory`);
      const reference = parseReference(identifier.replace(/^oci-layout:\/\//, ""));
      const client = createLayoutClient(dir);
      const wanted = platform ?? hostPlatform();
      const image = await createRemoteImages(client, store.content).resolve(reference, wanted, opts);
      return remoteSource({ store, client, origin: layoutOrigin + dir }, image, wanted);
    },
  };
}
