import { engineExporter } from "../engine/exporter.js";
import { isForEngine } from "../exportSpecs.js";
import { archiveExporter } from "./archive.js";
import { unknownName } from "./attrs.js";
import type { ExporterDeps } from "./deps.js";
import type { Exporter, ExportSpec } from "./exporter.js";
import { imageExporter } from "./imageStore.js";
import { nothingExporter } from "./nothing.js";
import { localExporter, tarExporter } from "./rootfs.js";

const exporters: { readonly [T in ExportSpec["type"]]: (spec: ExportSpec, deps: ExporterDeps) => Exporter } = {
  image: (spec, deps) => imageExporter({ ...spec, type: "image" }, deps),
  registry: (spec, deps) => imageExporter({ ...spec, type: "registry" }, deps),
  oci: (spec, deps) => archiveExporter({ ...spec, type: "oci" }, deps),
  docker: (spec, deps) => (isForEngine(spec) ? engineExporter(spec, deps) : archiveExporter({ ...spec, type: "docker" }, deps)),
  local: localExporter,
  tar: tarExporter,
  cacheonly: nothingExporter,
};

/**
 * The exporter of a spec, which is checked before anything is built. The spec's type is checked too, since it can come
 * from a command line. @throws {TbuildError} invalid_argument, invalid_reference, unsupported
 */
export function createExporter(spec: ExportSpec, deps: ExporterDeps): Exporter {
  if (!Object.hasOwn(exporters, spec.type)) throw unknownName("output type", spec.type, Object.keys(exporters));
  return exporters[spec.type](spec, deps);
}
