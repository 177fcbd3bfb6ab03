import type { BulkJobs } from "../../cache/bulk/jobs.js";
import type { Opts } from "../../cache/content/store.js";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
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
  const input = { blob: store.content.pathOf(digest), root: tree.path, maxBytes: store.maxLayerSize };
  const onProgress = ({ bytes }: { readonly bytes: number }) => report?.status(id, bytes, 0);
  const applied = await store.bulk.run(job, input, { signal, onProgress }).catch((error: unknown) => {
    throw ofLayer(error, digest);
  });
  report?.statusDone(id);
  return applied;
}

const SIZE_HINT = "If the image is to be trusted, raise maxLayerSize below [worker.oci] in tbuild.toml";

/** The error that says which layer it is about. */
function ofLayer(error: unknown, digest: Digest): unknown {
  if (!isTbuildError(error) || error.code === "cancelled") return error;
  const { code, message, hint = code === "resource_exhausted" ? SIZE_HINT : undefined } = error;
  const why = message.slice(0, 1).toLowerCase() + message.slice(1);
  return new TbuildError(code, `Cannot unpack layer ${digest}: ${why}`, { hint, cause: error });
}
