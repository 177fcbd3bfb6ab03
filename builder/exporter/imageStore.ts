import { TbuildError } from "../../cache/errors.js";
import { putBlob } from "../registry/resolve.js";
import { readAttrs, readNames } from "./attrs.js";
import type { Exporter, ExportSpec } from "./exporter.js";
import { imageParts, manifestRecord } from "./image.js";
import type { ExporterDeps } from "./deps.js";

/**
 * `type=image`: gives the image its names in the image store. Layers stay snapshots; nothing is compressed, so that there
 * is no manifest yet, and containerimage.digest is the config's digest, as Docker's image store has it.
 */
export function imageStoreExporter(spec: ExportSpec, { store }: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const names = readNames(attrs);
  if (attrs.bool("push", false)) {
    throw new TbuildError(
      "unsupported",
      "Cannot push the image: this version does not push",
      { hint: "Save it with `type=oci` and push that" },
    );
  }
  attrs.finish();
  return {
    name: "exporting to image",
    needs: { kind: "diff-ids" },
    async export(output, opts) {
      const platforms = await Promise.all(output.platforms.map((platform) => imageParts(store, platform, "oci", opts)));
      for (const { config } of platforms) await putBlob(store.content, config.bytes, config.descriptor.digest, opts);
      const records = platforms.map(manifestRecord);
      if (names.length === 0) await store.images.putDangling(records);
      for (const name of names) await store.images.put(name, records);
      const id = records[0]!.config;
      const named = names.length === 0 ? {} : { "image.name": names.join(",") };
      return { metadata: { "containerimage.config.digest": id, "containerimage.digest": id, ...named }, descriptor: null };
    },
  };
}
