import os from "node:os";
import { Worker } from "node:worker_threads";
import { cancelled } from "../errors.js";
import { nativeData } from "../sys/native.js";
import type { ThreadMessage } from "./control.js";
import { startFlight } from "./flight.js";
import type { BulkOpts, Flight } from "./flight.js";
import type { BulkJobs } from "./jobs.js";

/** A small pool of worker threads for bulk file work. Threads start on first use and never hold the process alive. */
export interface BulkPool extends AsyncDisposable {
  /** Starts a first thread for jobs that are about to come, side by side with what this thread does until then. */
  warm(): void;
  /** Runs one job on an idle thread, or waits for one. Errors of the job keep their code. */
  run<K extends keyof BulkJobs>(name: K, input: BulkJobs[K]["input"], opts?: BulkOpts): Promise<BulkJobs[K]["output"]>;
}

/** Options of {@link createPool}. */
export interface PoolOptions {
  /** Most threads at a time; default one a core, at least 2. */
  readonly workers?: number | undefined;
  /** The script that serves the jobs; default worker.js beside this module. */
  readonly workerUrl?: URL | undefined;
}

/**
 * A pool of worker threads. A job that is cancelled rejects only after its thread has stopped touching files. Disposing
 * cancels what runs or waits, then ends the threads.
 */
export function createPool(options: PoolOptions = {}): BulkPool {
  const threads = threadPool(options);
  const flights = new Set<Flight>();
  let disposed = false;

  const run = async (name: string, input: unknown, opts: BulkOpts): Promise<unknown> => {
    const worker = await threads.acquire(opts.signal);
    try {
      const flight = startFlight(worker, name, input, opts);
      flights.add(flight);
      return await flight.result.finally(() => flights.delete(flight));
    } catch (error) {
      throw disposed ? cancelled(opts.signal) : error;
    } finally {
      threads.release(worker);
    }
  };
  return {
    warm: () => threads.warm(),
    run: <K extends keyof BulkJobs>(name: K, input: BulkJobs[K]["input"], opts: BulkOpts = {}) =>
      run(name, input, opts) as Promise<BulkJobs[K]["output"]>,
    async [Symbol.asyncDispose]() {
      disposed = true;
      for (const flight of flights) flight.cancel();
      await threads.close();
    },
  };
}

// terminate() would end the whole process with an abort while the thread loads a native module.
function end(worker: Worker): Promise<void> {
  worker.ref();
  return new Promise((resolve) => {
    worker.once("exit", () => resolve());
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
    worker.postMessage("end" satisfies ThreadMessage);
  });
}

interface ThreadPool {
  /** Starts a thread unless there is one. */
  warm(): void;
  /** An idle thread; it holds the process alive until released. @throws {TbuildError} cancelled */
  acquire(signal: AbortSignal | undefined): Promise<Worker>;
  release(worker: Worker): void;
  close(): Promise<void>;
}

interface Waiter {
  resolve(worker: Worker): void;
  reject(error: Error): void;
}

// A waiter that leaves the queue when the signal aborts.
function abortable(waiter: Waiter, queue: Set<Waiter>, signal: AbortSignal | undefined): Waiter {
  const onAbort = () => {
    queue.delete(self);
    waiter.reject(cancelled(signal));
  };
  signal?.addEventListener("abort", onAbort);
  const off = () => signal?.removeEventListener("abort", onAbort);
  const self: Waiter = {
    resolve: (worker) => (off(), waiter.resolve(worker)),
    reject: (error) => (off(), waiter.reject(error)),
  };
  return self;
}

function threadPool({ workers = Math.max(2, os.availableParallelism()), workerUrl }: PoolOptions): ThreadPool {
  const url = workerUrl ?? new URL("./worker.js", import.meta.url);
  const alive = new Set<Worker>();
  const idle: Worker[] = [];
  const waiters = new Set<Waiter>();
  let closed = false;

  const start = (): Worker => {
    const worker = new Worker(url, { execArgv: [], workerData: nativeData() }); // some options of ours, such as --input-type, would stop it
    alive.add(worker);
    // The job on it tells of its death; that of an idle thread is no news.
    worker.on("error", () => forget(worker)).once("exit", () => forget(worker));
    return worker;
  };
  const forget = (worker: Worker) => {
    alive.delete(worker);
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  };
  const take = (): Worker | undefined => idle.pop() ?? (alive.size < workers ? start() : undefined);
  const serveWaiters = () => {
    for (const waiter of waiters) {
      const worker = take();
      if (worker === undefined) return;
      waiters.delete(waiter);
      worker.ref();
      waiter.resolve(worker);
    }
  };
  return {
    warm() {
      if (closed || alive.size > 0) return;
      const worker = start();
      worker.unref();
      idle.push(worker);
    },
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        if (closed || signal?.aborted === true) return reject(cancelled(signal));
        waiters.add(abortable({ resolve, reject }, waiters, signal));
        serveWaiters();
      }),
    release(worker) {
      if (closed) return;
      worker.unref();
      if (alive.has(worker)) idle.push(worker);
      serveWaiters();
    },
    async close() {
      closed = true;
      for (const waiter of waiters) waiter.reject(cancelled());
      waiters.clear();
      await Promise.all([...alive].map(end));
    },
  };
}
