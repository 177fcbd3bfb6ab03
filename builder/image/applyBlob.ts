import type { BulkJobs } from "../../cache/bulk/jobs.js";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Mount } from "../../cache/snapshot/snapshotter.js";
import type { Store } from "../../cache/store.js";
import type { StepReporter } from "../../solver/progress.js";

/** A layer that an image's config and manifest tell of. */
export interface PackedLayer {
  /** Digest of the uncompressed tar, as the config has it. */
  readonly diffId: Digest;
  readonly blob: Descriptor;
}

/** Options of work that takes its time. */
export interface ReportOptions extends Opts {
  readonly report?: StepReporter | undefined;
}

/** More than any honest layer unpacks to. */
const MAX_LAYER_BYTES = 2 ** 40;

/** Unpacks a blob of the content store into a mounted, writable snapshot, with one of the jobs that can, and reports how far it is. */
export async function applyBlob<K extends "applyLayer" | "applyApart">(
  store: Store,
  job: K,
  mount: Mount,
  { digest }: Descriptor,
  { report, signal }: ReportOptions,
): Promise<BulkJobs[K]["output"]> {
  const id = `extracting ${digest}`;
  await using tree = await mountTree(mount);
  report?.status(id, 0, 0);
  const input = { blob: store.content.pathOf(digest), root: tree.path, maxBytes: MAX_LAYER_BYTES };
  const onProgress = ({ bytes }: { readonly bytes: number }) => report?.status(id, bytes, 0);
  const applied = await store.bulk.run(job, input, { signal, onProgress });
  report?.statusDone(id);
  return applied;
}
