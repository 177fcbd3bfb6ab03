import { cancelled } from "../errors.js";
import type { WireError } from "../errors.js";
import type { JobContext } from "./jobs.js";

// One job's memory shared by both threads. Cells of 4 bytes:
const CANCEL = 0; // 1: give up
const WAKE = 1; // grows with every change that a waiting job may be waiting for
const CHUNKS = 2; // emitted and not yet received
const CHUNK_BYTES = 3;
const CELLS = 4;
// Then two counters of 8 bytes.
const BYTES = 0;
const FILES = 1;

const MAX_CHUNKS = 8;
const MAX_CHUNK_BYTES = 8 * 1024 * 1024;

/** What the asking thread sends to a worker: a job, or that no more will come. */
export type ThreadMessage = JobRequest | "end";

/** One job. */
export interface JobRequest {
  readonly name: string;
  readonly input: unknown;
  readonly control: SharedArrayBuffer;
}

/** What a worker sends back, in order: chunks, then one of the others. */
export type JobMessage =
  | { readonly type: "chunk"; readonly chunk: Uint8Array }
  | { readonly type: "done"; readonly output: unknown }
  | { readonly type: "failed"; readonly error: WireError };

/** Both views of the shared memory. */
interface Cells {
  readonly state: Int32Array;
  readonly counters: BigInt64Array;
}

/** Memory for one job. */
export function newControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(CELLS * 4 + 2 * 8);
}

function cells(control: SharedArrayBuffer): Cells {
  return { state: new Int32Array(control, 0, CELLS), counters: new BigInt64Array(control, CELLS * 4, 2) };
}

/** The asking thread's side. */
export interface Control {
  /** Makes the job throw `cancelled` at its next tick, or at once when it waits for us. */
  cancel(): void;
  /** Gives back the credit of one chunk. */
  received(chunk: Uint8Array): void;
  progress(): { readonly bytes: number; readonly files: number };
}

/** The asking thread's side of a job's memory. */
export function controlOf(shared: SharedArrayBuffer): Control {
  const { state, counters } = cells(shared);
  const wake = () => {
    Atomics.add(state, WAKE, 1);
    Atomics.notify(state, WAKE);
  };
  return {
    cancel() {
      Atomics.store(state, CANCEL, 1);
      wake();
    },
    received(chunk) {
      Atomics.sub(state, CHUNKS, 1);
      Atomics.sub(state, CHUNK_BYTES, chunk.byteLength);
      wake();
    },
    progress: () => ({ bytes: Number(Atomics.load(counters, BYTES)), files: Number(Atomics.load(counters, FILES)) }),
  };
}

/** The job's side. `post` sends a chunk and may transfer its buffer. */
export function jobContext(shared: SharedArrayBuffer, post: (chunk: Uint8Array) => void): JobContext {
  const { state, counters } = cells(shared);
  const check = () => {
    if (Atomics.load(state, CANCEL) === 1) throw cancelled();
  };
  return {
    tick(bytes, files) {
      check();
      // This thread is the only writer.
      counters[BYTES] = (counters[BYTES] ?? 0n) + BigInt(bytes);
      counters[FILES] = (counters[FILES] ?? 0n) + BigInt(files);
    },
    emit(chunk) {
      waitForCredit(state, check);
      Atomics.add(state, CHUNKS, 1);
      Atomics.add(state, CHUNK_BYTES, chunk.byteLength);
      post(chunk);
    },
  };
}

// WAKE is read before the conditions: a change after that makes the wait return at once.
function waitForCredit(state: Int32Array, check: () => void): void {
  for (;;) {
    const seen = Atomics.load(state, WAKE);
    check();
    if (Atomics.load(state, CHUNKS) < MAX_CHUNKS && Atomics.load(state, CHUNK_BYTES) < MAX_CHUNK_BYTES) return;
    Atomics.wait(state, WAKE, seen);
  }
}
