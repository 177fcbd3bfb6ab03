import { type SourceRange, type TbuildError, hasCode, isTbuildError } from "../../cache/errors.js";
import { type Platform, formatPlatform } from "../../cache/oci/platform.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { Output } from "../../solver/llb/state.js";
import type { FrontendOptions, ResolvedImage } from "../options.js";
import { scratchImage } from "./configImage.js";
import type { ContextUse } from "./contextNamed.js";
import { sourceStep } from "./convertNodes.js";
import { fromTrigger, unresolved, unresolvedContext } from "./errors.js";
import { suggest } from "./suggest.js";

/** An image that something refers to. */
export interface ImageUse {
  /** As written, variables expanded. */
  readonly name: string;
  readonly platform: Platform;
  readonly at: SourceRange;
  /** The named context that it comes from. */
  readonly via: ContextUse | null;
  /** The ONBUILD trigger that names it. */
  readonly trigger?: string;
}

/** The images of one build, each asked for once. */
export interface ImageTable {
  /** Asks for what is not known yet, all at once. What cannot be had goes to `errors`, and is an empty image from then on. */
  resolve(uses: readonly ImageUse[], errors: TbuildError[]): Promise<void>;
  /** An image that was resolved before. */
  get(use: ImageUse): ResolvedImage;
}

const COMMON_IMAGES = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora", "nginx", "node", "python"];

/** An empty table. `stageNames` are what a misspelt image may have meant. */
export function imageTable(options: FrontendOptions, stageNames: readonly string[]): ImageTable {
  const known = new Map<string, ResolvedImage>();
  const names = [...stageNames, ...COMMON_IMAGES];
  const resolveOne = async (use: ImageUse): Promise<TbuildError | null> => {
    try {
      known.set(keyOf(use), await ask(use, options));
      return null;
    } catch (error) {
      const { at, via } = use;
      const located = via === null ? unresolved(error, at, suggest(use.name, names)) : unresolvedContext(error, at, via.key);
      if (!isTbuildError(located) || hasCode(located, "cancelled")) throw error;
      known.set(keyOf(use), { reference: use.name, digest: null, config: scratchImage(use.platform) });
      return use.trigger === undefined ? located : fromTrigger(located, use.trigger);
    }
  };
  return {
    async resolve(uses, errors) {
      const fresh = new Map(uses.filter((use) => !known.has(keyOf(use))).map((use) => [keyOf(use), use]));
      errors.push(...(await Promise.all([...fresh.values()].map(resolveOne))).filter((error) => error !== null));
    },
    get(use) {
      const image = known.get(keyOf(use));
      if (image === undefined) throw new Error(`Image ${use.name} was not resolved`);
      return image;
    },
  };
}

/** The image that a named context is; null when it is something else. `at` is what names the context. */
export function contextImage(use: ContextUse, at: SourceRange): ImageUse | null {
  const { context, platform } = use;
  if (context.kind === "image") return { name: context.reference, platform, at, via: use };
  return context.kind === "oci-layout" ? { name: context.path, platform, at, via: use } : null;
}

/** The tree of an image, pinned; null when it has no layers. `path` is that of its layout; `name` makes the step's name. */
export function imageSource(
  image: ResolvedImage,
  { kind, path = "" }: { readonly kind: "image" | "oci-layout"; readonly path?: string },
  name: (pinned: string) => string,
  at: SourceRange,
  platform: Platform,
): Output | null {
  if (isEmptyImage(image)) return null;
  const pinned = pinnedName(image);
  const [scheme, attrs] = kind === "image" ? ["docker-image", {}] : ["oci-layout", { "oci.store": path }];
  return sourceStep(`${scheme}://${pinned}`, attrs, name(pinned), [at], platform);
}

/** Reference that pins the image: with its digest when it has one. */
function pinnedName(image: ResolvedImage): string {
  return image.digest === null ? image.reference : `${image.reference}@${image.digest}`;
}

/** True for an image without layers, which is the empty tree. */
function isEmptyImage({ config }: ResolvedImage): boolean {
  return config.rootfs.diff_ids.length === 0 && (config.history ?? []).every((entry) => entry.empty_layer === true);
}

function keyOf(use: ImageUse): string {
  return `${use.via?.key ?? ""} ${use.name} ${formatPlatform(use.platform)}`;
}

async function ask({ name, platform, via }: ImageUse, options: FrontendOptions): Promise<ResolvedImage> {
  const by = via === null ? "internal" : `context ${via.key}`;
  if (via?.context.kind === "oci-layout") return options.resolveLayout(via.context, platform, by);
  return options.resolveImage(formatReference(withDefaultTag(parseReference(name))), platform, by);
}
