import { setMaxListeners } from "node:events";
import { TbuildError } from "../../cache/errors.js";
import type { Bridge } from "./bridge.js";
import { type EventLog, eventLog } from "./eventLog.js";
import type { BuildJob } from "./job.js";

/** One build that a client asked for. */
export interface Job extends BuildJob {
  readonly log: EventLog;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** What the client's frontend talks to. */
  readonly bridge: Bridge;
  cancel(reason?: unknown): void;
}

/** The builds of a daemon, by ref. */
export interface Jobs {
  /** @throws {TbuildError} already_exists while a build of this ref runs, unavailable after {@link Jobs.close} */
  start(ref: string, bridge: Bridge): Job;
  /** The build of this ref, also one that ended lately; waits for one that is not there yet. @throws {TbuildError} not_found */
  find(ref: string, opts: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<Job>;
  /** True while a build of this ref runs. */
  isRunning(ref: string): boolean;
  /** Ends the log of a build, which stays readable for a while. */
  end(job: Job): void;
  /** How many run. */
  count(): number;
  /** When the oldest build that runs began, in milliseconds since the epoch; null while none runs. */
  oldest(): number | null;
  /** From now on no build starts. Answers when those that run have ended. */
  close(): Promise<void>;
  cancelAll(reason: unknown): void;
}

/** Ended builds whose progress can still be read: a client may be late, or ask again. */
const KEPT = 16;

/** No builds yet. */
export function createJobs(): Jobs {
  const running = new Map<string, Job>();
  const ended = new Map<string, Job>();
  const waiting = new Map<string, Set<(job: Job) => void>>();
  let closed = false;
  let onIdle = (): void => {};

  function start(ref: string, bridge: Bridge): Job {
    if (closed) throw new TbuildError("unavailable", `Cannot start build "${ref}": the daemon is stopping`);
    if (running.has(ref)) throw new TbuildError("already_exists", `Cannot start build "${ref}": a build of this name is running`);
    const job = createJob(ref, bridge);
    running.set(ref, job);
    ended.delete(ref);
    for (const found of waiting.get(ref) ?? []) found(job);
    waiting.delete(ref);
    return job;
  }
  function wait(ref: string, waitMs: number, signal: AbortSignal): Promise<Job> {
    return new Promise((resolve, reject) => {
      const finders = waiting.get(ref) ?? new Set();
      waiting.set(ref, finders);
      const stop = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", late);
        finders.delete(found);
        if (finders.size === 0 && waiting.get(ref) === finders) waiting.delete(ref);
      };
      const found = (job: Job) => {
        stop();
        resolve(job);
      };
      const late = () => {
        stop();
        reject(new TbuildError("not_found", `No such build "${ref}"`));
      };
      const timer = setTimeout(late, waitMs);
      finders.add(found);
      signal.addEventListener("abort", late);
    });
  }
  return {
    start,
    find: async (ref, { waitMs, signal }) => running.get(ref) ?? ended.get(ref) ?? (await wait(ref, waitMs, signal)),
    isRunning: (ref) => running.has(ref),
    end(job) {
      job.log.end();
      running.delete(job.ref);
      ended.set(job.ref, job);
      for (const ref of [...ended.keys()].slice(0, -KEPT)) ended.delete(ref);
      if (running.size === 0) onIdle();
    },
    count: () => running.size,
    oldest: () => [...running.values()][0]?.startedAt ?? null,
    close() {
      closed = true;
      return new Promise((resolve) => {
        onIdle = resolve;
        if (running.size === 0) resolve();
      });
    },
    cancelAll(reason) {
      for (const job of running.values()) job.cancel(reason);
    },
  };
}

function createJob(ref: string, bridge: Bridge): Job {
  const abort = new AbortController();
  // Every step under way listens: that many listeners are no leak.
  setMaxListeners(0, abort.signal);
  const log = eventLog();
  return {
    ref,
    bridge,
    log,
    startedAt: Date.now(),
    report: (event) => log.add(event),
    signal: abort.signal,
    sources: new Map(),
    cancel: (reason) => abort.abort(reason),
  };
}
