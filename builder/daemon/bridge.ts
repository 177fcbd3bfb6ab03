import { cancelled, TbuildError } from "../../cache/errors.js";
import type { ReturnRequest } from "../api/gateway.js";
import type { DaemonBuild } from "./daemonBuild.js";

/** Where a client's frontend and the build that waits for it meet. */
export interface Bridge {
  /** What the frontend asks things of. */
  readonly build: Promise<DaemonBuild>;
  /** Makes the build available, or says why there is none. */
  open(build: Promise<DaemonBuild>): void;
  /** Hands in the frontend's result. @throws {TbuildError} invalid_argument when there is one already */
  return(request: ReturnRequest): void;
  /** The frontend's result. @throws {TbuildError} cancelled */
  returned(signal: AbortSignal): Promise<ReturnRequest>;
}

/** A bridge with nobody on it. */
export function createBridge(): Bridge {
  const build = deferred<DaemonBuild>();
  const result = deferred<ReturnRequest>();
  let done = false;
  return {
    build: build.promise,
    open: (opening) => void opening.then(build.resolve, build.reject),
    return(request) {
      if (done) throw new TbuildError("invalid_argument", "Cannot return a result: the build has one already");
      done = true;
      result.resolve(request);
    },
    returned: (signal) => orAborted(result.promise, signal),
  };
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = deferred<never>();
  const onAbort = () => aborted.reject(cancelled(signal));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits for it may come later, or never.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
