import { setMaxListeners } from "node:events";
import os from "node:os";
import PQueue from "p-queue";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import { packedLayer, type BlobOptions } from "./blobs.js";
import { snapshotLayer, type SnapshotLayer } from "./layers.js";

/** What an export needs of each layer. */
export type LayerNeeds =
  | { readonly kind: "nothing" }
  | { readonly kind: "diff-ids" }
  /** Also a compressed blob in the content store. */
  | { readonly kind: "blobs"; readonly options: BlobOptions };

/** Makes layers of snapshots, each once, while later steps still run. Disposing ends what nobody has waited for. */
export interface LayerPreparer extends AsyncDisposable {
  /** A layer with what was asked for; the same promise for the same snapshot. @throws {TbuildError} not_found, cancelled */
  prepare(snapshot: string): Promise<SnapshotLayer>;
  /** Starts early and tells nobody of a failure: whoever needs the layer asks again. */
  begin(snapshot: string): void;
  /** No step runs any more: all processors may be used. */
  hurry(): void;
}

/** A preparer for one build. Until {@link LayerPreparer.hurry}, one layer at a time, so that steps find a free thread. */
export function layerPreparer(store: Store, needs: LayerNeeds, opts: Opts): LayerPreparer {
  const queue = new PQueue({ concurrency: 1 });
  const abort = new AbortController();
  const signal = opts.signal === undefined ? abort.signal : AbortSignal.any([opts.signal, abort.signal]);
  setMaxListeners(0, signal);
  const known = new Map<string, Promise<SnapshotLayer>>();
  const make = (snapshot: string) =>
    needs.kind === "blobs" ? packedLayer(store, snapshot, { ...needs.options, signal }) : snapshotLayer(store, snapshot, { signal });

  function prepare(snapshot: string): Promise<SnapshotLayer> {
    const before = known.get(snapshot);
    if (before !== undefined) return before;
    const promise = queue.add(() => make(snapshot));
    promise.catch(() => known.delete(snapshot));
    known.set(snapshot, promise);
    return promise;
  }
  return {
    prepare,
    begin: (snapshot) => void (needs.kind === "nothing" || prepare(snapshot).catch(() => {})),
    hurry: () => void (queue.concurrency = os.availableParallelism()),
    async [Symbol.asyncDispose]() {
      queue.clear();
      abort.abort();
      await queue.onIdle();
    },
  };
}
