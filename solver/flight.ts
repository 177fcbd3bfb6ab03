import { setMaxListeners } from "node:events";
import { type FlightListener, type Replay, createReplay } from "./replay.js";

/** Runs that several builds share. */
export interface Flights<T> {
  /**
   * The result of the run under way for `key`, else of a new `run`. When `signal` aborts, the caller leaves: the last one
   * to leave aborts the run and waits until it has really ended; the others are rejected at once with the signal's reason.
   */
  join(key: string, waiter: Waiter, run: (opts: RunOpts) => Promise<T>): Promise<T>;
}

/** See {@link Flights.join}. */
export interface Waiter {
  readonly signal: AbortSignal;
  readonly listener: FlightListener;
}

/** What a shared run gets: a signal that aborts when nobody waits any more, and everybody's listener. */
export interface RunOpts {
  readonly signal: AbortSignal;
  readonly listener: FlightListener;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  readonly audience: Replay;
}

/** No runs yet. */
export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>();

  function launch(key: string, run: (opts: RunOpts) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const audience = createReplay();
    const result = run({ signal: abort.signal, listener: audience.listener }).finally(() => flights.delete(key));
    const flight = { result, abort, audience };
    flights.set(key, flight);
    return flight;
  }

  return {
    async join(key, waiter, run) {
      for (let flight = flights.get(key); flight !== undefined; flight = flights.get(key)) {
        if (!flight.abort.signal.aborted) return await waitFor(flight, waiter);
        // Everybody has left it; ours must not start while it still works on the same things.
        await flight.result.catch(() => {});
      }
      waiter.signal.throwIfAborted();
      return await waitFor(launch(key, run), waiter);
    },
  };
}

function waitFor<T>(flight: Flight<T>, { signal, listener }: Waiter): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      if (flight.audience.remove(listener) === 0) flight.abort.abort(signal.reason);
      else reject(signal.reason);
    };
    flight.audience.add(listener);
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    const arrived = (): void => signal.removeEventListener("abort", leave);
    flight.result.finally(arrived).then(resolve, reject);
  });
}
