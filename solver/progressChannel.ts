import type { Progress } from "./progress.js";

/** A queue between a build, which must never wait for its audience, and one reader. */
export interface ProgressChannel {
  /** Never blocks; ignored after {@link end} and when the reader has left. */
  report(event: Progress): void;
  /** No more events: the reader's loop ends after those that wait. May be called twice. */
  end(): void;
  /** For one reader, once. */
  readonly events: AsyncIterable<Progress>;
}

/** An open, empty channel. */
export function progressChannel(): ProgressChannel {
  const waiting: Progress[] = [];
  let open = true;
  let wake = (): void => {};

  async function* read(): AsyncGenerator<Progress, void, undefined> {
    try {
      for (;;) {
        // In batches: shift() of a long array costs its length.
        for (const event of waiting.splice(0)) yield event;
        if (waiting.length > 0) continue;
        if (!open) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      open = false;
      waiting.length = 0;
    }
  }

  return {
    report(event) {
      if (!open) return;
      waiting.push(event);
      wake();
    },
    end() {
      open = false;
      wake();
    },
    events: read(),
  };
}
