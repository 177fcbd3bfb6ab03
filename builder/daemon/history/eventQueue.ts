/** Events for any number of listeners. */
export interface EventQueue<T> {
  send(event: T): void;
  /** All that is sent from now on. Ends with the queue, and when the signal aborts. Dispose it to stop listening. */
  subscribe(): Subscription<T>;
  /** Ends all subscriptions when they have been read, and those that come later at once. */
  close(): void;
}

/** See {@link EventQueue.subscribe}. */
export interface Subscription<T> extends Disposable {
  read(signal: AbortSignal): AsyncGenerator<T, void, undefined>;
}

/** An open queue that nobody listens to. */
export function eventQueue<T>(): EventQueue<T> {
  const listeners = new Set<Listener<T>>();
  let open = true;
  return {
    send(event) {
      for (const listener of listeners) {
        listener.events.push(event);
        listener.wake();
      }
    },
    subscribe() {
      const listener: Listener<T> = { events: [], wake: () => {} };
      listeners.add(listener);
      return {
        read: (signal) => read(listener, signal, () => open),
        [Symbol.dispose]: () => void listeners.delete(listener),
      };
    },
    close() {
      open = false;
      for (const { wake } of listeners) wake();
    },
  };
}

interface Listener<T> {
  readonly events: T[];
  wake: () => void;
}

async function* read<T>(listener: Listener<T>, signal: AbortSignal, isOpen: () => boolean): AsyncGenerator<T, void, undefined> {
  const onAbort = () => listener.wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const event = listener.events.shift();
      if (event !== undefined) yield event;
      else if (!isOpen()) return;
      else await new Promise<void>((resolve) => (listener.wake = resolve));
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
