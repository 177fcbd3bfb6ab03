import type { Exporter, ExportSpec } from "./exporter/exporter.js";
import type { LayerNeeds } from "./image/prepare.js";
import type { BuildRequest } from "./request.js";

/** Where a request's result goes: the image store unless it says otherwise, under its tags. */
export function exportSpecs(request: BuildRequest): readonly ExportSpec[] {
  const name = (request.tags ?? []).join(",");
  const specs = request.outputs ?? [];
  if (specs.length === 0) return [{ type: "image", attrs: { name } }];
  return specs.map((spec) => (takesName(spec) && name !== "" ? { ...spec, attrs: { name, ...spec.attrs } } : spec));
}

function takesName(spec: ExportSpec): boolean {
  return spec.type === "image" || spec.type === "registry" || spec.type === "oci" || spec.type === "docker";
}

/** True for `type=docker` without `dest`: what is loaded into the running Docker engine. */
export function isForEngine({ type, attrs }: ExportSpec): boolean {
  return type === "docker" && attrs["dest"] === undefined;
}

/** What all exporters together need of layers: blobs serve one that needs diff IDs as well. */
export function strongestNeeds(exporters: readonly Exporter[]): LayerNeeds {
  const kinds: readonly LayerNeeds["kind"][] = ["blobs", "diff-ids", "nothing"];
  const sorted = exporters.map(({ needs }) => needs).sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return sorted[0] ?? { kind: "nothing" };
}
