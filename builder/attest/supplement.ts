import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import type { SnapshotLayer } from "../image/layers.js";
import { type Attestation, SPDX } from "./attestation.js";
import { layerFiles } from "./layerFiles.js";

/** A file, or a package with files, of an SPDX document. */
interface SpdxPart {
  readonly fileName?: string;
  readonly comment?: string;
}

/**
 * The SBOM of a result with the layer of each file that it names, in the file's comment; other attestations, and what cannot be
 * read as SPDX, as they are. `layers` and `blobs` are parallel, base first. Source: BuildKit, exporter/containerimage/attestations.go.
 */
export async function supplemented(store: Store, attestation: Attestation, content: Uint8Array, layers: readonly SnapshotLayer[], blobs: readonly Descriptor[]): Promise<Uint8Array> {
  if (!isCore(attestation)) return content;
  const document = parsed(content);
  const files = document?.["files"];
  if (document === null || !Array.isArray(files) || !files.some(wantsLayer)) return content;
  const layerOf = await layerFiles(store, layers);
  const located = (files as readonly SpdxPart[]).map((file) => {
    const layer = wantsLayer(file) ? layerOf(file.fileName) : null;
    return layer === null ? file : { ...file, comment: `layerID: ${blobs[layer]!.digest}` };
  });
  return Buffer.from(JSON.stringify({ ...document, files: located }));
}

/** True for the SBOM that tells of the result itself. */
export function isCore({ predicateType, sbomCore, path }: Pick<Attestation, "predicateType" | "sbomCore" | "path">): boolean {
  return predicateType === SPDX && sbomCore !== null && path.replace(/^.*\//s, "").split(".", 1)[0] === sbomCore;
}

function wantsLayer(file: unknown): file is SpdxPart & { readonly fileName: string } {
  const { fileName, comment = "" } = (file ?? {}) as SpdxPart;
  return typeof fileName === "string" && comment === "";
}

function parsed(content: Uint8Array): Record<string, unknown> | null {
  try {
    const value = JSON.parse(Buffer.from(content).toString("utf8")) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // Nobody else can read it either.
  }
}
