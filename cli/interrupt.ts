import { showCursor, type Terminal } from "./terminal.js";

/** What Ctrl-C, SIGTERM and SIGHUP do. Disposing gives them back to the system. */
export interface Interrupt extends Disposable {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** Until disposed, signals go to `pass`, in which a process may deal with them as it likes; the third that should end it aborts. */
  passOn(pass: (signal: NodeJS.Signals) => void): Disposable;
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const OTHERS = ["SIGQUIT", "SIGUSR2", "SIGWINCH"] as const;

/** As often as Docker asks a process before it makes an end. */
const PATIENCE = 3;

const CANCELLING = "\nCancelling; press Ctrl-C again to leave at once\n";

/**
 * The first Ctrl-C or SIGTERM cancels and cleans up; a second one gives up at once (what is left is found by the next
 * tbuild). A live view says so itself; else `said` is written.
 */
export function interruptSignal(live: boolean, terminal: Terminal, said = CANCELLING): Interrupt {
  const abort = new AbortController();
  let pass: ((signal: NodeJS.Signals) => void) | null = null;
  let asked = 0;
  const cancel = () => {
    if (abort.signal.aborted) {
      if (live) terminal.stderr.write(showCursor);
      process.exit(130);
    }
    if (!live) terminal.stderr.write(said);
    abort.abort();
  };
  const onEnding = (name: NodeJS.Signals) => (pass === null || ++asked >= PATIENCE ? cancel() : pass(name));
  const onOther = (name: NodeJS.Signals) => pass?.(name);
  for (const name of ENDING) process.on(name, onEnding);
  const ignoreOthers = () => OTHERS.forEach((name) => process.off(name, onOther));
  return {
    signal: abort.signal,
    passOn(to) {
      pass = to;
      for (const name of OTHERS) process.on(name, onOther);
      return {
        [Symbol.dispose]() {
          pass = null;
          ignoreOthers();
        },
      };
    },
    [Symbol.dispose]() {
      for (const name of ENDING) process.off(name, onEnding);
      ignoreOthers();
    },
  };
}
