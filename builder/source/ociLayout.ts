import path from "node:path";
import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import { hostPlatform, type Platform } from "../../cache/oci/platform.js";
import { formatReference, parseReference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { OciLayout, ResolvedImage } from "../../frontend/options.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { RegistryClient } from "../registry/client.js";
import { createRemoteImages } from "../registry/resolve.js";
import { remoteSource } from "./image.js";
import { createLayoutClient, findInLayout } from "./layoutClient.js";
import type { Source, SourceRequest } from "./source.js";

/** Attributes of the source op: which layout it is, and which client has it. */
const STORE = "oci.store";
const SESSION = "oci.session";

/** Where a layer's blob came from, for when it is needed again. */
export const layoutOrigin = "oci-layout:";

/** The layouts that a build can read. */
export interface Layouts {
  /** True when they will be there after the build, so that what nobody reads can be left in them. */
  readonly lasting: boolean;
  /** Reads a layout as if it were a registry. `session` is of the client that has it, "" where nobody says. @throws {TbuildError} not_found */
  open(store: string, session: string, opts: Opts): Promise<RegistryClient>;
}

/** Directories of this machine, by their absolute paths. */
export const layoutDirectories: Layouts = { lasting: true, open: async (dir) => createLayoutClient(dir) };

/** What {@link resolveLayout} works with. */
export interface LayoutDeps {
  readonly store: Store;
  readonly layouts: Layouts;
}

/** What an image of a layout is, for the frontend. @throws {TbuildError} not_found, corrupt, digest_mismatch */
export async function resolveLayout(
  { store, layouts }: LayoutDeps,
  layout: OciLayout & { readonly session?: string },
  platform: Platform,
  opts: StepOpts,
): Promise<ResolvedImage> {
  const digest = layout.digest ?? findInLayout(layout.path, layout.tag);
  const reference = { registry: "localhost", repository: `layout/${repositoryName(layout.path)}`, tag: layout.tag, digest };
  const client = await layouts.open(layout.path, layout.session ?? "", opts);
  const { root, config } = await createRemoteImages(client, store.content).resolve(reference, platform, opts);
  return { reference: formatReference({ ...reference, digest: null }), digest: root, config };
}

/** Text that a reference may have as its path. */
function repositoryName(dir: string): string {
  return path.basename(dir).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "image";
}

/** Name of the layout that a source op is about. @throws {TbuildError} invalid_argument */
export function layoutName({ identifier, attrs }: Pick<SourceRequest, "identifier" | "attrs">): string {
  const name = attrs[STORE];
  if (name) return name;
  throw new TbuildError("invalid_argument", `Cannot read "${identifier}": it does not say in which layout`);
}

/** The layout that a source op is about. @throws {TbuildError} invalid_argument, and as {@link Layouts.open} */
export async function openLayout(layouts: Layouts, request: Pick<SourceRequest, "identifier" | "attrs">, opts: Opts): Promise<RegistryClient> {
  return await layouts.open(layoutName(request), request.attrs[SESSION] ?? "", opts);
}

/** `oci-layout://name@digest`: an image of the layout that the attribute "oci.store" names. */
export function createLayoutSource({ store, layouts }: LayoutDeps): Source {
  return {
    schemes: ["oci-layout"],
    async resolve({ identifier, attrs, platform }, opts) {
      const client = await openLayout(layouts, { identifier, attrs }, opts);
      const reference = parseReference(identifier.replace(/^oci-layout:\/\//, ""));
      const wanted = platform ?? hostPlatform();
      const image = await createRemoteImages(client, store.content).resolve(reference, wanted, opts);
      const source = remoteSource({ store, client, origin: layoutOrigin + layoutName({ identifier, attrs }) }, image, wanted);
      return layouts.lasting ? source : { ...source, declare: async () => null };
    },
  };
}
