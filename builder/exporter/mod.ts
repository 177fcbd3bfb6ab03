import { archiveExporter } from "./archive.js";
import { unknownName } from "./attrs.js";
import type { ExporterDeps } from "./deps.js";
import type { Exporter, ExportSpec } from "./exporter.js";
import { imageStoreExporter } from "./imageStore.js";
import { localExporter, tarExporter } from "./rootfs.js";

const exporters: { readonly [T in ExportSpec["type"]]: (spec: ExportSpec, deps: ExporterDeps) => Exporter } = {
  image: imageStoreExporter,
  oci: (spec, deps) => archiveExporter({ ...spec, type: "oci" }, deps),
  docker: (spec, deps) => archiveExporter({ ...spec, type: "docker" }, deps),
  local: localExporter,
  tar: tarExporter,
};

/**
 * The exporter of a spec, which is checked before anything is built. The spec's type is checked too, since it can come
 * from a command line. @throws {TbuildError} invalid_argument, invalid_reference, unsupported
 */
export function createExporter(spec: ExportSpec, deps: ExporterDeps): Exporter {
  if (!Object.hasOwn(exporters, spec.type)) throw unknownName("output type", spec.type, Object.keys(exporters));
  return exporters[spec.type](spec, deps);
}
