import type { Worker } from "node:worker_threads";
import type { Opts } from "../content/store.js";
import { cancelled, fromWire, hasCode } from "../errors.js";
import type { WireError } from "../errors.js";
import { controlOf, newControl } from "./control.js";
import type { JobMessage, JobRequest } from "./control.js";

const PROGRESS_MS = 100;

/** Counters of a running job. */
export interface BulkProgress {
  readonly bytes: number;
  readonly files: number;
}

/** Options of one job. */
export interface BulkOpts extends Opts {
  /** Called a few times a second while the job runs, and once at its end. */
  readonly onProgress?: ((progress: BulkProgress) => void) | undefined;
  /** Receives what the job emits, in order; the job waits while the promise is pending and chunks pile up. */
  readonly onChunk?: ((chunk: Uint8Array) => Promise<void> | void) | undefined;
}

/** A job on its way: settles once the worker has stopped working on it. */
export interface Flight {
  readonly result: Promise<unknown>;
  cancel(): void;
}

/**
 * Runs one job on an idle worker. Chunks reach `onChunk` one at a time; its first failure cancels the job and becomes the
 * job's. A worker that dies instead of answering fails the job with a plain Error.
 */
export function startFlight(worker: Worker, name: string, input: unknown, opts: BulkOpts): Flight {
  const shared = newControl();
  const control = controlOf(shared);
  const chunks = chunkQueue(control, opts);
  const answer = answerOf(worker, name, chunks.push);
  opts.signal?.addEventListener("abort", control.cancel);
  const timer = opts.onProgress && setInterval(() => opts.onProgress?.(control.progress()), PROGRESS_MS);
  if (opts.signal?.aborted === true) control.cancel();

  const finish = async (): Promise<unknown> => {
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      worker.postMessage({ name, input, control: shared } satisfies JobRequest);
      const end = await answer;
      if (end.type === "failed") throw chunks.failure() ?? jobError(end.error, opts.signal);
      await chunks.drained();
      return end.output;
    } finally {
      chunks.stop();
      clearInterval(timer);
      opts.signal?.removeEventListener("abort", control.cancel);
      opts.onProgress?.(control.progress());
    }
  };
  return { result: finish(), cancel: control.cancel };
}

type Answer = Exclude<JobMessage, { type: "chunk" }>;

function answerOf(worker: Worker, name: string, onChunk: (chunk: Uint8Array) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: JobMessage) => {
      if (message.type === "chunk") return onChunk(message.chunk);
      off();
      resolve(message);
    };
    const onError = (error: Error) => {
      off();
      reject(new Error(`Worker thread failed while running "${name}": ${error.message}`, { cause: error }));
    };
    const onExit = (code: number) => {
      off();
      reject(new Error(`Worker thread ended with status ${code} while running "${name}"`));
    };
    const off = () => worker.off("message", onMessage).off("error", onError).off("exit", onExit);
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
  });
}

function jobError(wire: WireError, signal: AbortSignal | undefined): Error {
  const error = fromWire(wire);
  return hasCode(error, "cancelled") ? cancelled(signal) : error;
}

interface ChunkQueue {
  push(chunk: Uint8Array): void;
  /** The first error of `onChunk`. */
  failure(): unknown;
  /** Settles when every chunk has been taken; rejects with the first error of `onChunk`. */
  drained(): Promise<void>;
  /** No further chunk is handed over. */
  stop(): void;
}

function chunkQueue(control: ReturnType<typeof controlOf>, { onChunk }: BulkOpts): ChunkQueue {
  let tail = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;
  let stopped = false;
  const hand = async (chunk: Uint8Array): Promise<void> => {
    if (!stopped && failure === undefined) await onChunk?.(chunk);
    control.received(chunk);
  };
  const fail = (error: unknown) => {
    failure ??= { error };
    control.cancel();
  };
  return {
    push: (chunk) => void (tail = tail.then(() => hand(chunk)).catch(fail)),
    failure: () => failure?.error,
    async drained() {
      await tail;
      if (failure !== undefined) throw failure.error;
    },
    stop: () => void (stopped = true),
  };
}
