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

/** Bytes of steps' output that are kept for readers that are slow or late. */
const MAX_OUTPUT = 16 * 2 ** 20;

const LEFT_OUT = Buffer.from("[output of this step was not read in time, and some of it is left out]\n");

/** An open, empty log. `maxOutput` bytes of output are kept; of what is older, each step keeps a note that it is gone. */
export function eventLog(maxOutput = MAX_OUTPUT): EventLog {
  const events: (Progress | null)[] = [];
  const noted = new Set<string>();
  let output = 0;
  let oldest = 0;
  const sleeping = new Set<() => void>();
  let open = true;

  function wakeAll(): void {
    for (const wake of sleeping) wake();
    sleeping.clear();
  }
  async function* read(signal: AbortSignal): AsyncGenerator<readonly Progress[], void, undefined> {
    for (let next = 0; ; ) {
      if (signal.aborted) return;
      const seen = events.length;
      const batch = events.slice(next).filter((event) => event !== null);
      next = seen;
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
  function leaveOut(): void {
    for (; output > maxOutput; oldest++) {
      const event = events[oldest];
      if (event?.type !== "log") continue;
      output -= event.bytes.length;
      events[oldest] = noted.has(event.vertex) ? null : { ...event, bytes: LEFT_OUT };
      noted.add(event.vertex);
    }
  }
  return {
    add(event) {
      if (!open) return;
      events.push(event);
      if (event.type === "log") output += event.bytes.length;
      leaveOut();
      wakeAll();
    },
    end() {
      open = false;
      wakeAll();
    },
    read,
  };
}
