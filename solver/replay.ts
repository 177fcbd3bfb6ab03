import type { StepReporter } from "./progress.js";

/** What a waiter hears of a flight; one who joins late hears the beginning again. */
export interface FlightListener extends StepReporter {
  started(): void;
}

/** Bytes of log that a late listener hears at most. */
const KEPT_LOG = 1 << 20;

type Call = (listener: FlightListener) => void;

/** One listener that speaks to many, and repeats what was said to those who come late. */
export interface Replay {
  readonly listener: FlightListener;
  add(listener: FlightListener): void;
  /** How many are left. */
  remove(listener: FlightListener): number;
}

/** Nobody listens yet. Of long logs only the last {@link KEPT_LOG} bytes are kept. */
export function createReplay(): Replay {
  const audience = new Set<FlightListener>();
  const milestones: Call[] = [];
  const statuses = new Map<string, Call>();
  let logs: { readonly call: Call; readonly size: number }[] = [];
  let logged = 0;

  function tell(call: Call): void {
    for (const listener of audience) call(listener);
  }
  function milestone(call: Call): void {
    milestones.push(call);
    tell(call);
  }
  function status(id: string, call: Call): void {
    statuses.set(id, call);
    tell(call);
  }
  function log(call: Call, size: number): void {
    logs.push({ call, size });
    logged += size;
    if (logged > 2 * KEPT_LOG) trim();
    tell(call);
  }
  // At twice the limit and not at every line, so that keeping costs nothing per line.
  function trim(): void {
    let first = 0;
    while (logged > KEPT_LOG && first < logs.length - 1) logged -= logs[first++]?.size ?? 0;
    logs = logs.slice(first);
  }

  return {
    listener: {
      started: () => milestone((to) => to.started()),
      warn: (warning) => milestone((to) => to.warn(warning)),
      status: (id, current, total) => status(id, (to) => to.status(id, current, total)),
      statusDone: (id) => {
        const last = statuses.get(id);
        tell((to) => to.statusDone(id));
        statuses.set(id, (to) => {
          last?.(to);
          to.statusDone(id);
        });
      },
      log: (stream, bytes) => log((to) => to.log(stream, bytes), bytes.length),
    },
    add(listener) {
      audience.add(listener);
      for (const call of [...milestones, ...statuses.values(), ...logs.map(({ call }) => call)]) call(listener);
    },
    remove(listener) {
      audience.delete(listener);
      return audience.size;
    },
  };
}
