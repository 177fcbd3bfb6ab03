/** Work that is asked for often and done now and then. */
export interface Throttled {
  /** Asks for the work: it is done after the delay, once for all who ask meanwhile, and not more often than every `everyMs`. */
  ask(): void;
  /** Nothing begins any more; waits for what is under way, whose signal aborts. */
  end(): Promise<void>;
}

/** Times of {@link throttled}, in milliseconds. */
export interface ThrottleTimes {
  readonly delayMs: number;
  readonly everyMs: number;
}

/** Does `work` when it is asked for, in the background; `onError` hears what it throws. */
export function throttled(work: (signal: AbortSignal) => Promise<void>, { delayMs, everyMs }: ThrottleTimes, onError: (error: unknown) => void): Throttled {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let next = 0;
  const run = () => {
    timer = undefined;
    next = Date.now() + everyMs;
    running = running.then(() => work(abort.signal)).catch((error: unknown) => void (abort.signal.aborted || onError(error)));
  };
  return {
    ask() {
      if (timer !== undefined || abort.signal.aborted) return;
      timer = setTimeout(run, Math.max(delayMs, next - Date.now()));
      timer.unref();
    },
    end() {
      clearTimeout(timer);
      abort.abort();
      return running;
    },
  };
}
