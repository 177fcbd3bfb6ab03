import { appendFileSync } from "node:fs";

/** A file that grows in batches: what is pushed waits until it is worth a write, or {@link BatchedFile.flush}. */
export interface BatchedFile {
  readonly file: string;
  /** Throws what the file system says when the batch is full. */
  push(bytes: Uint8Array): void;
  /** Writes what waits. Throws what the file system says; what could not be written is dropped. */
  flush(): void;
}

/** Bytes that wait before they are written at once. */
const BATCH = 64 * 1024;

/** Appends to `file`, which is made with the first write and is its owner's alone. */
export function batchedFile(file: string): BatchedFile {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  function flush(): void {
    if (bytes === 0) return;
    const batch = Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
    appendFileSync(file, batch, { mode: 0o600 });
  }
  return {
    file,
    push(chunk) {
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes >= BATCH) flush();
    },
    flush,
  };
}
