import type { Writable } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";

/** What exporters work with. */
export interface ExporterDeps {
  readonly store: Store;
  /** For dest "-"; default this process's standard output. Never closed. */
  readonly stdout?: Writable;
  /** Brings back a base layer's blob that was pruned; without it such an image cannot be packed. */
  readonly refetch?: (blob: Descriptor, opts: Opts) => Promise<void>;
}

/** `deps.refetch` for one export. */
export function refetcher({ refetch }: ExporterDeps, opts: Opts): ((blob: Descriptor) => Promise<void>) | undefined {
  return refetch === undefined ? undefined : (blob) => refetch(blob, opts);
}
