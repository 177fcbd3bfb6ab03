import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { FetchOpts } from "../registry/client.js";

/** Layers of one image that are downloaded at a time. */
const DOWNLOADS = 4;

/** Fetches layers for one step, a few at a time, and tells how far each is. */
export async function layerFetcher(
  fetchBlob: (blob: Descriptor, opts: FetchOpts) => Promise<void>,
  { signal, report }: StepOpts,
): Promise<(blob: Descriptor) => Promise<void>> {
  const { default: PQueue } = await import("p-queue");
  const queue = new PQueue({ concurrency: DOWNLOADS });
  return (blob) =>
    queue.add(async () => {
      await fetchBlob(blob, { signal, onProgress: (bytes) => report.status(blob.digest, bytes, blob.size) });
      report.statusDone(blob.digest);
    });
}
