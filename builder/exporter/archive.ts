import { TbuildError } from "../../cache/errors.js";
import { checkAnnotations } from "../image/annotations.js";
import { descriptor } from "../image/canonical.js";
import { writeLayout, type NamedImage } from "../image/layout.js";
import { packImage, rootOf } from "../image/packed.js";
import { readAttrs, readNames, readPackOptions } from "./attrs.js";
import { writeDestination, writeDirectory, writeTar } from "../image/destination.js";
import type { Exporter, ExportResult, ExportSpec } from "./exporter.js";
import { encodeDescriptor, imageParts } from "./image.js";
import { layerChange, layerNeeds } from "./layerChange.js";
import { refetcher, type ExporterDeps } from "./deps.js";

/**
 * `type=oci` and `type=docker`: an image layout as a tar (`dest`, "-" for standard output), or with tar=false as a
 * directory. The docker form also has what `docker load` reads, and takes one platform.
 */
export function archiveExporter(spec: ExportSpec & { readonly type: "oci" | "docker" }, deps: ExporterDeps): Exporter {
  const { store } = deps;
  const attrs = readAttrs(spec);
  const names = readNames(attrs);
  const options = { ...readPackOptions(attrs), rewriteTimes: attrs.bool("rewrite-timestamp", false) };
  const dest = attrs.required("dest", `Write it as type=${spec.type},dest=image.tar, or dest=- for standard output`);
  const isTar = attrs.bool("tar", true);
  attrs.finish();
  if (spec.type === "docker" && deps.shape.root === "index") {
    throw new TbuildError("unsupported", "Cannot export several platforms as a docker archive", { hint: "Use type=oci" });
  }
  checkAnnotations(options.annotations ?? [], { ...deps.shape, flavour: options.flavour });

  async function write(image: NamedImage, opts: Parameters<Exporter["export"]>[1]): Promise<void> {
    opts.report.status("sending tarball", 0, 0);
    const body = (sink: Parameters<typeof writeLayout>[0]) => writeLayout(sink, store.content, [image], spec.type);
    if (isTar) await writeDestination(dest, deps.stdout ?? process.stdout, (stream) => writeTar(stream, body, opts));
    else if (deps.layout !== undefined) await body(deps.layout(opts));
    else await writeDirectory(dest, body);
    opts.report.statusDone("sending tarball");
  }
  return {
    name: `exporting to ${spec.type} image format`,
    needs: layerNeeds({ ...options, refetch: refetcher(deps, {}) }),
    readsFiles: false,
    async export(output, opts): Promise<ExportResult> {
      const packing = { ...options, signal: opts.signal, refetch: refetcher(deps, opts) };
      const parts = await Promise.all(
        output.platforms.map((one) => imageParts(store, one, options.flavour, opts, layerChange(store, one, packing))),
      );
      const platforms = await Promise.all(parts.map((part) => packImage(store, part, packing)));
      const root = await rootOf(store, platforms, output.root, packing);
      const metadata = {
        "containerimage.digest": root.digest,
        ...(output.root === "manifest" ? { "containerimage.config.digest": platforms[0]!.config.digest } : {}),
        "containerimage.descriptor": encodeDescriptor(descriptor(root)),
        ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
      };
      deps.announce?.(metadata);
      await write({ names, root, platforms }, opts);
      return { metadata, descriptor: root };
    },
  };
}
