import { TbuildError } from "../../cache/errors.js";
import { formatReference } from "../../cache/oci/reference.js";
import { type Attrs, readAttrs } from "./attrs.js";
import { isForWindows } from "../image/windowsLayers.js";
import type { ExporterDeps } from "./deps.js";
import type { Exporter, ExportSpec } from "./exporter.js";
import { imageParts, storedRecord } from "./image.js";
import { nameImages } from "./imageNames.js";
import { readPushAttrs } from "./registryAttrs.js";
import { registryImageExporter } from "./registryImage.js";

/** `type=image`, and `type=registry`, which is an image that is pushed. */
export function imageExporter(spec: ExportSpec & { readonly type: "image" | "registry" }, deps: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const target = readPushAttrs(attrs, spec.type === "registry");
  if (target.push || target.canonical || target.byDigest) return registryImageExporter(attrs, target, deps);
  return imageStoreExporter(attrs, target.store ? target.names.map(formatReference) : [], deps);
}

const PACKED_ELSEWHERE = "Push it, or write it with type=oci";

/**
 * An image for the image store only. Layers stay snapshots; nothing is compressed, so that there is no manifest yet, and
 * containerimage.digest is the config's digest, as Docker's image store has it.
 */
function imageStoreExporter(attrs: Attrs, names: readonly string[], { store, shape }: ExporterDeps): Exporter {
  if (shape.platforms.some(isForWindows)) {
    throw new TbuildError("unsupported", "Cannot keep an image for Windows in the image store", { hint: PACKED_ELSEWHERE });
  }
  if (attrs.annotations().length > 0) {
    throw new TbuildError("unsupported", "Cannot annotate an image of the image store: it has no manifest", { hint: PACKED_ELSEWHERE });
  }
  if (["compression", "compression-level", "force-compression"].some((key) => attrs.text(key) !== undefined)) {
    throw new TbuildError("unsupported", "Cannot compress an image of the image store: its layers stay unpacked", { hint: PACKED_ELSEWHERE });
  }
  attrs.finish();
  return {
    name: "exporting to image",
    needs: { kind: "diff-ids" },
    readsFiles: true,
    async export(output, opts) {
      const parts = await Promise.all(output.platforms.map((platform) => imageParts(store, platform, "oci", opts)));
      const records = await Promise.all(parts.map((part) => storedRecord(store, part, opts)));
      await nameImages(store, names, records);
      const id = records[0]!.config;
      const named = names.length === 0 ? {} : { "image.name": names.join(",") };
      return { metadata: { "containerimage.config.digest": id, "containerimage.digest": id, ...named }, descriptor: null };
    },
  };
}
