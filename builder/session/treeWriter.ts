import type { BulkPool } from "../../cache/bulk/pool.js";
import type { TreeWrite } from "../../cache/bulk/treeEntries.js";

/**
 * Makes changes of a tree in order, many with one job of a worker thread. Disposing drops what has not begun, and waits until
 * nothing is written any more.
 */
export interface TreeWriter extends AsyncDisposable {
  /** Takes a change, which is made soon. `bytes` is what it holds. */
  add(write: TreeWrite, bytes: number): void;
  /** Settles at once unless too much waits to be written. @throws {TbuildError} what a change failed with */
  room(): Promise<void>;
  /** All that was added is made. @throws what `room` does */
  drained(): Promise<void>;
}

const MAX_WAITING = 5_000;
const MAX_WAITING_BYTES = 8 << 20;

type FileWrite = Extract<TreeWrite, { kind: "file" }>;

function continues(last: TreeWrite, write: TreeWrite): write is FileWrite {
  return last.kind === "file" && write.kind === "file" && last.path === write.path && !write.isNew;
}

/** A writer below `root`. While a job runs, changes gather for the next. */
export function treeWriter(pool: Pick<BulkPool, "run">, root: string, signal: AbortSignal | undefined): TreeWriter {
  let waiting: TreeWrite[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | null = null;
  let failure: { readonly error: unknown } | null = null;

  const start = (): void => {
    if (running !== null || waiting.length === 0 || failure !== null) return;
    const writes = waiting;
    waiting = [];
    waitingBytes = 0;
    running = pool
      .run("writeTree", { root, writes }, { signal })
      .then(() => {}, (error: unknown) => void (failure = { error }))
      .then(() => {
        running = null;
        start();
      });
  };
  const until = async (enough: () => boolean): Promise<void> => {
    start();
    while (running !== null && !enough()) await running;
    if (failure !== null) throw failure.error;
  };
  return {
    add(write, bytes) {
      const last = waiting.at(-1);
      if (last === undefined || !continues(last, write)) waiting.push(write);
      else waiting[waiting.length - 1] = { ...(last as FileWrite), chunks: [...(last as FileWrite).chunks, ...write.chunks], as: write.as };
      waitingBytes += bytes;
    },
    room: () => until(() => waiting.length < MAX_WAITING && waitingBytes < MAX_WAITING_BYTES),
    drained: () => until(() => false),
    async [Symbol.asyncDispose]() {
      waiting = [];
      await running;
    },
  };
}
