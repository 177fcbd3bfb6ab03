import type { Store } from "../../cache/store.js";
import { estargzLayers } from "../image/estargz.js";
import type { PackOptions } from "../image/packed.js";
import type { LayerNeeds } from "../image/prepare.js";
import { rewriteTimes } from "../image/rewriteTimes.js";
import { isForWindows, windowsLayers } from "../image/windowsLayers.js";
import type { PlatformOutput } from "./exporter.js";
import type { LayerChange } from "./image.js";

/** What an export does with layers before its config names them. */
export interface ChangeOptions extends PackOptions {
  /** `rewrite-timestamp`. Default false. */
  readonly rewriteTimes?: boolean;
}

/** The change that `options` ask for of one platform's layers. */
export function layerChange(store: Store, output: PlatformOutput, options: ChangeOptions): LayerChange {
  return async (layers) => {
    // Without a base, which Windows needs, a layer is that of any archive, as BuildKit makes it.
    if (isForWindows(output.platform) && output.baseDiffIds.length > 0) return await windowsLayers(store, layers, output, options);
    const clamped = options.rewriteTimes === true ? await rewriteTimes(store, layers, output, options) : layers;
    return options.layout === "estargz" ? await estargzLayers(store, clamped, output.baseDiffIds, options) : clamped;
  };
}

/** What can be made of layers while the build still runs: no blobs of layers that are changed before they are packed. */
export function layerNeeds(options: ChangeOptions): LayerNeeds {
  return changesLayers(options) ? { kind: "diff-ids" } : { kind: "blobs", options };
}

/** True when {@link layerChange} may give layers that no snapshot has. */
export function changesLayers(options: ChangeOptions): boolean {
  return options.rewriteTimes === true || options.layout === "estargz";
}
