import type { BulkPool } from "../../cache/bulk/pool.js";
import type { TreeWrite } from "../../cache/bulk/treeEntries.js";

/**
 * Makes changes of a tree in order, many with one job of a worker thread. Disposing drops what has not begun, and waits until
 * nothing is written any more.
 */
export interface TreeWriter extends AsyncDisposable {
  /** Takes a change, which is made soon. `bytes` are those of a file. */
  add(write: TreeWrite, bytes?: Uint8Array): void;
  /** Settles at once unless too much waits to be written. @throws {TbuildError} what a change failed with */
  room(): Promise<void>;
  /** All that was added is made. @throws what `room` does */
  drained(): Promise<void>;
}

const MAX_WAITING = 5_000;
const MAX_WAITING_BYTES = 8 << 20;
/** Fewer than this are not worth a job of their own. */
const LEAST = 500;
const LEAST_BYTES = 1 << 20;

/** A writer below `root`. While a job runs, changes gather for the next. */
export function treeWriter(pool: Pick<BulkPool, "run">, root: string, signal: AbortSignal | undefined): TreeWriter {
  let waiting: TreeWrite[] = [];
  let chunks: Uint8Array[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | null = null;
  let failure: { readonly error: unknown } | null = null;

  const start = (): void => {
    if (running !== null || waiting.length === 0 || failure !== null) return;
    const writes = waiting;
    const content = Buffer.concat(chunks, waitingBytes);
    waiting = [];
    chunks = [];
    waitingBytes = 0;
    running = pool
      .run("writeTree", { root, writes, content }, { signal })
      .then(() => {}, (error: unknown) => void (failure = { error }))
      .then(() => {
        running = null;
        start();
      });
  };
  const current = () => running;
  const until = async (enough: () => boolean): Promise<void> => {
    if (!enough()) start();
    for (let job = current(); job !== null && !enough(); job = current()) await job;
    if (failure !== null) throw failure.error;
  };
  return {
    add(write, bytes) {
      const last = waiting.at(-1);
      const joined = last === undefined ? null : join(last, write);
      if (joined === null) waiting.push(write);
      else waiting[waiting.length - 1] = joined;
      if (bytes === undefined) return;
      chunks.push(bytes);
      waitingBytes += bytes.length;
    },
    async room() {
      if (waiting.length >= LEAST || waitingBytes >= LEAST_BYTES) start();
      await until(() => waiting.length < MAX_WAITING && waitingBytes < MAX_WAITING_BYTES);
    },
    drained: () => until(() => false),
    async [Symbol.asyncDispose]() {
      waiting = [];
      await running;
    },
  };
}

/** Two pieces of one file as one. */
function join(last: TreeWrite, next: TreeWrite): TreeWrite | null {
  if (last.kind !== "file" || next.kind !== "file" || last.path !== next.path || next.isNew) return null;
  return { ...last, bytes: last.bytes + next.bytes, as: next.as };
}
