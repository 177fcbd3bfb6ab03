/** The last lines of a process's output, for the error that it may end in. */
export interface LogTail {
  push(chunk: Uint8Array): void;
  /** Oldest first, without newlines. */
  lines(): readonly string[];
}

const MAX_BYTES = 16 * 1024;
const MAX_LINES = 20;

/** Keeps the last 20 lines of at most 16 KiB. */
export function logTail(): LogTail {
  let kept = Buffer.alloc(0);
  return {
    push(chunk) {
      kept = Buffer.concat([kept, chunk]).subarray(-MAX_BYTES);
    },
    lines() {
      const lines = kept.toString("utf8").split(/\r?\n/);
      if (lines.at(-1) === "") lines.pop();
      return lines.slice(-MAX_LINES);
    },
  };
}
