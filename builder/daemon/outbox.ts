/** Messages from several writers to one reader, in the order in which they were put in. */
export interface Outbox<T> extends AsyncIterable<T> {
  /** Resolves when there is room for more. What comes after the end is lost. */
  push(value: T): Promise<void>;
  /** No more comes; the reader hears of an error when it has read the rest. */
  end(error?: unknown): void;
}

/** How many messages wait for the reader before writers wait. */
const ROOM = 16;

/** An outbox with nothing in it. */
export function createOutbox<T>(): Outbox<T> {
  const queue: T[] = [];
  let over: { readonly error: unknown } | null = null;
  let wake = () => {};
  let room: (() => void)[] = [];
  return {
    async push(value) {
      if (over !== null) return;
      queue.push(value);
      wake();
      if (queue.length >= ROOM) await new Promise<void>((resolve) => room.push(resolve));
    },
    end(error) {
      over ??= { error };
      wake();
      leave();
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          while (queue.length > 0) {
            yield queue.shift()!;
            if (queue.length < ROOM) leave();
          }
          if (over !== null) break;
          await new Promise<void>((resolve) => (wake = resolve));
        }
        if (over.error !== undefined) throw over.error;
      } finally {
        over ??= { error: undefined };
        leave();
      }
    },
  };

  function leave(): void {
    const waiting = room;
    room = [];
    for (const go of waiting) go();
  }
}
