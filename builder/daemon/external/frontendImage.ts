import { TbuildError } from "../../../cache/errors.js";
import type { ContainerConfig } from "../../../cache/oci/descriptor.js";
import { hostPlatform } from "../../../cache/oci/platform.js";
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../../cache/oci/reference.js";
import { sourceStep } from "../../../frontend/dockerfile/convertNodes.js";
import type { NamedContext } from "../../../frontend/options.js";
import type { Output } from "../../../solver/llb/state.js";
import type { ImageMaterial } from "../../attest/capture.js";
import { internalStep, type Report } from "../../internalStep.js";
import type { RemoteAccess } from "../../remote.js";
import { contextOf } from "../frontend/contexts.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";
import type { FrontendHost } from "../frontend/host.js";

/** The program that a frontend is. */
export interface FrontendImage {
  readonly tree: Output;
  readonly config: ContainerConfig;
}

/** What {@link findFrontend} asks. */
export interface FrontendFinder {
  readonly host: FrontendHost;
  readonly remote: RemoteAccess;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Hears which image it was. */
  readonly noteImage?: ((image: ImageMaterial) => void) | undefined;
}

/**
 * The image of a frontend for this machine: one of a registry or the image store, or what a named context makes of its name.
 * @throws {TbuildError} not_found, unauthorized, unavailable, invalid_reference, invalid_argument
 */
export async function findFrontend(name: string, opt: FrontendOpt, finder: FrontendFinder): Promise<FrontendImage> {
  const context = await namedContext(name, opt, finder.host);
  if (context === null) return await imageOf(name, finder);
  if (context.kind === "image") return await imageOf(context.reference, finder);
  if (context.kind === "tree" && context.tree !== null) return { tree: context.tree, config: context.config?.config ?? {} };
  throw new TbuildError("invalid_argument", `Cannot run the frontend "${name}": the context of that name is no image`);
}

/** Contexts have the names that Docker shows. */
async function namedContext(name: string, opt: FrontendOpt, host: FrontendHost): Promise<NamedContext | null> {
  const familiar = familiarReference(parseReference(name)).replace(/:latest$/, "");
  const value = opt[`context:${familiar}`];
  return value === undefined ? null : await contextOf(familiar, value, opt, host);
}

async function imageOf(name: string, { remote, report, signal, noteImage }: FrontendFinder): Promise<FrontendImage> {
  const platform = hostPlatform();
  const image = await internalStep(report, `resolve image config for docker-image://${name}`, signal, (opts) => remote.resolveImage(name, platform, opts));
  noteImage?.({ reference: formatReference(withDefaultTag(parseReference(name))), platform, digest: image.digest ?? "", layout: false });
  const pinned = image.digest === null ? image.reference : `${image.reference}@${image.digest}`;
  const source = `docker-image://${pinned}`;
  return { tree: sourceStep(source, {}, source, [], platform), config: image.config.config ?? {} };
}
