import type { Descriptor, ImageConfig } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { RootKind } from "../image/packed.js";
import type { LayerNeeds, LayerPreparer } from "../image/prepare.js";
import type { StepOpts } from "../../solver/opRunner.js";

/** What is known of a build's result before it is solved. */
export interface OutputShape {
  /** In the order asked for, each once. */
  readonly platforms: readonly Platform[];
  readonly root: RootKind;
}

/** A solved build, before it is written anywhere. */
export interface BuildOutput {
  /** In the order asked for, each platform once. */
  readonly platforms: readonly PlatformOutput[];
  readonly root: RootKind;
}

/** Result for one platform. `image.rootfs.diff_ids` is empty and `history` is not yet joined with layers. */
export interface PlatformOutput {
  readonly platform: Platform;
  readonly ref: Ref & { readonly kind: "snapshot" };
  readonly image: ImageConfig;
  /** Layers of the image that it was built on, base first: they are the lowest of `ref`. */
  readonly baseDiffIds: readonly Digest[];
  /** Seconds for `rewrite-timestamp`; null when there are none and nothing is rewritten. Default: the image's creation. */
  readonly latest?: number | null;
}

/** What an export works with, besides what every step does. */
export interface ExportOpts extends StepOpts {
  /** Layers as the build's exporters need them. */
  readonly layers: LayerPreparer;
}

/** Writes a result somewhere. */
export interface Exporter {
  /** "exporting to image", as the progress shows it. */
  readonly name: string;
  /** What can be made of the result's layers before the build has ended. */
  readonly needs: LayerNeeds;
  /** False when what is known of the result's layers is enough: then they may still be in a registry. */
  readonly readsFiles: boolean;
  export(output: BuildOutput, opts: ExportOpts): Promise<ExportResult>;
}

/** What an export made; keys of `metadata` as in BuildKit's exporter response (containerimage.digest …). */
export interface ExportResult {
  readonly metadata: Readonly<Record<string, string>>;
  readonly descriptor: Descriptor | null;
}

/** `-o type=oci,dest=x.tar` taken apart. */
export interface ExportSpec {
  /** "cacheonly" writes nothing: the build's steps are kept for the next one. */
  readonly type: "image" | "registry" | "oci" | "docker" | "local" | "tar" | "cacheonly";
  readonly attrs: Readonly<Record<string, string>>;
}
