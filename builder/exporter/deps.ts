import type { Writable } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { LayoutSink } from "../image/layout.js";
import type { PushImage } from "../registry/push.js";
import type { PushOpts } from "../registry/pushPoint.js";
import type { OutputShape } from "./exporter.js";

/** What exporters work with. */
export interface ExporterDeps {
  readonly store: Store;
  /** What will be exported: an exporter that cannot write that says so before anything is built. */
  readonly shape: OutputShape;
  /** No file of a directory or a plain tar is later, in seconds; default: files keep their times. */
  readonly clampMtime?: number | null;
  /** For dest "-"; default this process's standard output. Never closed. */
  readonly stdout?: Writable;
  /** Hears of an archive's response before its first byte. */
  readonly announce?: (metadata: Readonly<Record<string, string>>) => void;
  /** Takes a layout that is not to be a tar; default the directory `dest`. */
  readonly layout?: (opts: Opts) => LayoutSink;
  /** Brings back a base layer's blob that was pruned; without it such an image cannot be packed. */
  readonly refetch?: (blob: Descriptor, opts: Opts) => Promise<void>;
  /** Writes an image to the registries of its names; without it images cannot be pushed. */
  readonly push?: Push;
}

/** See `push` of a registry writer. */
export type Push = (image: PushImage, names: readonly Reference[], opts: PushTo) => Promise<void>;

/** Options of {@link Push}. */
export interface PushTo extends PushOpts {
  /** Plain HTTP where there is no TLS, and any certificate. Default false. */
  readonly insecure?: boolean;
}

/** `deps.refetch` for one export. */
export function refetcher({ refetch }: ExporterDeps, opts: Opts): ((blob: Descriptor) => Promise<void>) | undefined {
  return refetch === undefined ? undefined : (blob) => refetch(blob, opts);
}
