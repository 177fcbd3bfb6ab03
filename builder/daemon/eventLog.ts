import type { Progress } from "../../solver/progress.js";

/** All that a build has told, for any number of readers, whenever they come. */
export interface EventLog {
  /** Ignored after {@link end}. */
  add(event: Progress): void;
  /** Nothing more will come: readers end after the last event. May be called twice. */
  end(): void;
  /** From the first event on, in batches of what there is; each call is a reader of its own. Ends when the signal aborts. */
  read(signal: AbortSignal): AsyncIterable<readonly Progress[]>;
}

/** An open, empty log. */
export function eventLog(): EventLog {
  const events: Progress[] = [];
  const sleeping = new Set<() => void>();
  let open = true;

  function wakeAll(): void {
    for (const wake of sleeping) wake();
    sleeping.clear();
  }
  async function* read(signal: AbortSignal): AsyncGenerator<readonly Progress[], void, undefined> {
    for (let next = 0; ; ) {
      if (signal.aborted) return;
      const batch = events.slice(next);
      next += batch.length;
      if (batch.length > 0) yield batch;
      else if (!open) return;
      else await sleep(signal);
    }
  }
  function sleep(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        sleeping.delete(wake);
        resolve();
      };
      sleeping.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
  return {
    add(event) {
      if (!open) return;
      events.push(event);
      wakeAll();
    },
    end() {
      open = false;
      wakeAll();
    },
    read,
  };
}
