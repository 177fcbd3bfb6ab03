import type { Opts } from "../content/store.js";
import type { BulkJobs } from "./jobs.js";

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

/** A small pool of worker threads for bulk file work. Threads start on first use and never hold the process alive. */
export interface BulkPool extends AsyncDisposable {
  /** Runs one job on an idle thread, or waits for one. Errors of the job keep their code. */
  run<K extends keyof BulkJobs>(name: K, input: BulkJobs[K]["input"], opts?: BulkOpts): Promise<BulkJobs[K]["output"]>;
}
