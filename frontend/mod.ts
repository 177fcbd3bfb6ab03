import type { ImageConfig } from "../cache/oci/descriptor.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Platform } from "../cache/oci/platform.js";
import type { Definition } from "../solver/llb/definition.js";
import { marshal } from "../solver/llb/marshal.js";
import type { Warning } from "../solver/progress.js";
import type { CheckOptions } from "./dockerfile/checks/options.js";
import { convertDockerfile } from "./dockerfile/convert.js";
import type { ScanTarget } from "./dockerfile/scans.js";
import type { FrontendOptions } from "./options.js";

export type { FrontendOptions, ImageResolver, ResolvedImage } from "./options.js";

/** What comes out. */
export interface FrontendResult {
  readonly definition: Definition;
  /** Config of the image with `rootfs.diff_ids` empty; history has one entry per instruction, layers not yet joined. */
  readonly image: ImageConfig;
  /** Layers of the image that the target builds on, base first. */
  readonly baseDiffIds: readonly Digest[];
  /** SOURCE_DATE_EPOCH of this build in seconds; null when it has none. */
  readonly epoch: number | null;
  readonly platform: Platform;
  readonly warnings: readonly Warning[];
  /** What the file asks of checks, for those that come later in the build: see `applyCheck` and `refuseViolations`. */
  readonly check: CheckOptions;
  /** Trees that an SBOM is to look into besides the result. */
  readonly scans?: readonly ScanTarget[];
}

/**
 * Turns a Dockerfile into the build graph of its target for one platform, and the config of the image. Only stages that
 * the target needs are converted, and only their images resolved.
 * @throws {TbuildError} parse_failed, invalid_argument, unsupported, not_found; located, further mistakes in `others`
 */
export async function dockerfileToDefinition(text: string | Uint8Array, options: FrontendOptions): Promise<FrontendResult> {
  const { root, image, baseDiffIds, epoch, warnings, check, scans } = await convertDockerfile(text, options);
  const source = { filename: options.file, data: Buffer.from(text), language: "Dockerfile" };
  return { definition: marshal(root, [source]), image, baseDiffIds, epoch, platform: options.platform, warnings, check, scans };
}
