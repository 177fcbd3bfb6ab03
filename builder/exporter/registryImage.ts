import { TbuildError } from "../../cache/errors.js";
import { formatReference } from "../../cache/oci/reference.js";
import { checkAnnotations } from "../image/annotations.js";
import { descriptor } from "../image/canonical.js";
import { packImage, rootOf } from "../image/packed.js";
import { pushableImage } from "../image/pushable.js";
import { isForWindows } from "../image/windowsLayers.js";
import { readPackOptions, type Attrs } from "./attrs.js";
import { refetcher, type ExporterDeps } from "./deps.js";
import type { Exporter } from "./exporter.js";
import { encodeDescriptor, imageParts, storedRecord } from "./image.js";
import { nameImages } from "./imageNames.js";
import { changesLayers, layerChange, layerNeeds } from "./layerChange.js";
import { storeNames, type PushAttrs } from "./registryAttrs.js";

/**
 * An image with a manifest: `type=image,push=true`, its alias `type=registry`, and `name-canonical`. Layers of a base image
 * that nobody has here stay where they are, until the registry turns out to want them.
 */
export function registryImageExporter(attrs: Attrs, target: PushAttrs, deps: ExporterDeps): Exporter {
  const { store, push } = deps;
  if (target.push && push === undefined) throw new TbuildError("unsupported", "Cannot push the image: no registries here");
  const rewriteTimes = attrs.bool("rewrite-timestamp", false);
  const options = { ...readPackOptions(attrs), rewriteTimes, missing: "leave" as const };
  attrs.finish();
  checkAnnotations(options.annotations ?? [], { ...deps.shape, flavour: options.flavour });
  const names = target.names.map(formatReference);
  return {
    name: "exporting to image",
    needs: layerNeeds({ ...options, refetch: refetcher(deps, {}) }),
    readsFiles: target.unpack,
    async export(output, opts) {
      const packing = { ...options, signal: opts.signal, refetch: refetcher(deps, opts) };
      const parts = await Promise.all(
        output.platforms.map((one) => imageParts(store, one, options.flavour, opts, layerChange(store, one, packing))),
      );
      const images = await Promise.all(parts.map((part) => packImage(store, part, packing)));
      const root = await rootOf(store, images, output.root, packing);
      // The image store has no place for images of Windows, whose layers no snapshot has.
      const kept = output.platforms.filter(({ platform }) => !isForWindows(platform));
      if (target.store && kept.length > 0) {
        // Where layers were changed, the image store keeps the image of the snapshots: it is from there that it is exported again.
        const isChanged = changesLayers(options) || kept.length < output.platforms.length;
        const stored = isChanged ? await Promise.all(kept.map((one) => imageParts(store, one, options.flavour, opts))) : parts;
        await nameImages(store, storeNames(target, root.digest), await Promise.all(stored.map((part) => storedRecord(store, part, opts))));
      }
      if (target.push) {
        const image = pushableImage(parts, images, root, { content: store.content, refetch: refetcher(deps, opts) });
        await push?.(image, target.names, { ...opts, insecure: target.insecure });
      }
      const metadata = {
        "containerimage.digest": root.digest,
        ...(output.root === "manifest" ? { "containerimage.config.digest": images[0]!.config.digest } : {}),
        "containerimage.descriptor": encodeDescriptor(descriptor(root)),
        ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
      };
      return { metadata, descriptor: root };
    },
  };
}
