import { parentPort } from "node:worker_threads";
import { toWire } from "../errors.js";
import { jobContext } from "./control.js";
import type { JobMessage, JobRequest, ThreadMessage } from "./control.js";
import type { JobContext } from "./jobs.js";

/** A job as a worker runs it: synchronous, plain data in and out. */
export type Job = (input: never, ctx: JobContext) => unknown;

/** How to load each job. */
export type JobTable = Readonly<Record<string, () => Promise<Job>>>;

/**
 * Serves jobs of the table to the thread that started this worker, one after the other. After "end" the worker exits once
 * its job is done.
 */
export function serveJobs(table: JobTable): void {
  let running = Promise.resolve();
  parentPort?.on("message", (message: ThreadMessage) => {
    if (message === "end") void running.then(() => parentPort?.close());
    else running = serve(table, message);
  });
}

async function serve(table: JobTable, { name, input, control }: JobRequest): Promise<void> {
  try {
    const load = table[name];
    if (load === undefined) throw new Error(`No bulk job is named "${name}"`);
    const job = await load();
    const output = job(input as never, jobContext(control, postChunk));
    post({ type: "done", output });
  } catch (error) {
    post({ type: "failed", error: toWire(error) });
  }
}

// Only a chunk that is all of its buffer can be handed over; others share it with data that stays here.
function postChunk(chunk: Uint8Array): void {
  const whole = chunk.byteLength === chunk.buffer.byteLength ? chunk : Uint8Array.prototype.slice.call(chunk);
  post({ type: "chunk", chunk: whole }, [whole.buffer as ArrayBuffer]);
}

function post(message: JobMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
