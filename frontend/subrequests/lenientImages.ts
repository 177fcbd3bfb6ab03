import { hasCode } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import { scratchImage } from "../dockerfile/configImage.js";
import type { FrontendOptions, ResolvedImage } from "../options.js";

/** Options whose images can always be had. */
export interface LenientImages {
  readonly options: FrontendOptions;
  /** Those of which nothing is known but the name. */
  readonly unknown: ReadonlySet<ResolvedImage>;
}

/** For questions about the file, which must have an answer where there is no registry: an image that cannot be had is empty. */
export function lenientImages(options: FrontendOptions): LenientImages {
  const unknown = new Set<ResolvedImage>();
  const lenient = async (resolved: Promise<ResolvedImage>, reference: string, platform: Platform): Promise<ResolvedImage> => {
    try {
      return await resolved;
    } catch (error) {
      if (hasCode(error, "cancelled")) throw error;
      const image = { reference, digest: null, config: scratchImage(platform) };
      unknown.add(image);
      return image;
    }
  };
  return {
    unknown,
    options: {
      ...options,
      resolveImage: (reference, platform, by) => lenient(options.resolveImage(reference, platform, by), reference, platform),
      resolveLayout: (layout, platform, by) => lenient(options.resolveLayout(layout, platform, by), layout.path, platform),
    },
  };
}
