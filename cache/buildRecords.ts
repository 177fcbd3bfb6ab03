import type { Descriptor } from "./oci/descriptor.js";
import type { BuildRecord } from "./meta/records.js";

/** The blobs that a build's record keeps in the content store. */
export function blobsOfBuild({ logs, trace, errorDetails, results, attestations = [] }: BuildRecord): readonly Descriptor[] {
  return [logs, trace ?? null, errorDetails, ...results, ...attestations.map(({ blob }) => blob)].filter((blob) => blob !== null);
}
