import type { Descriptor } from "./oci/descriptor.js";
import type { BuildRecord } from "./meta/records.js";

/** The blobs that a build's record keeps in the content store. */
export function blobsOfBuild({ logs, trace, errorDetails, results }: BuildRecord): readonly Descriptor[] {
  return [logs, trace ?? null, errorDetails, ...results].filter((blob) => blob !== null);
}
