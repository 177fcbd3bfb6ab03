import { type SourceRange, type TbuildError, isTbuildError } from "../../cache/errors.js";
import { type Platform, formatPlatform } from "../../cache/oci/platform.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { FrontendOptions, ResolvedImage } from "../options.js";
import { combine, unresolved } from "./errors.js";
import { suggest } from "./suggest.js";

/** An image that something refers to. */
export interface ImageUse {
  /** As written, variables expanded. */
  readonly name: string;
  readonly platform: Platform;
  readonly at: SourceRange;
}

/** The images of one build, each asked for once. */
export interface ImageTable {
  /** Asks for what is not known yet, all at once. @throws {TbuildError} the resolver's first error, with the others attached */
  resolve(uses: readonly ImageUse[]): Promise<void>;
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
      const reference = formatReference(withDefaultTag(parseReference(use.name)));
      known.set(keyOf(use), await options.resolveImage(reference, use.platform));
      return null;
    } catch (error) {
      const located = unresolved(error, use.at, suggest(use.name, names));
      if (!isTbuildError(located)) throw error;
      return located;
    }
  };
  return {
    async resolve(uses) {
      const fresh = new Map(uses.filter((use) => !known.has(keyOf(use))).map((use) => [keyOf(use), use]));
      const errors = (await Promise.all([...fresh.values()].map(resolveOne))).filter((error) => error !== null);
      if (errors.length > 0) throw combine(errors);
    },
    get(use) {
      const image = known.get(keyOf(use));
      if (image === undefined) throw new Error(`Image ${use.name} was not resolved`);
      return image;
    },
  };
}

/** Reference that pins the image: with its digest when it has one. */
export function pinnedName(image: ResolvedImage): string {
  return image.digest === null ? image.reference : `${image.reference}@${image.digest}`;
}

/** True for an image without layers, which is the empty tree. */
export function isEmptyImage({ config }: ResolvedImage): boolean {
  return config.rootfs.diff_ids.length === 0 && (config.history ?? []).every((entry) => entry.empty_layer === true);
}

function keyOf(use: ImageUse): string {
  return `${use.name} ${formatPlatform(use.platform)}`;
}
