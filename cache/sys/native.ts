import { createRequire } from "node:module";
import { isMainThread, workerData } from "node:worker_threads";

const require = createRequire(import.meta.url);

/** What every worker thread is started with, so that all threads share one gate. */
export interface NativeData {
  readonly nativeGate: SharedArrayBuffer;
}

const shared = isMainThread ? null : (workerData as Partial<NativeData> | null)?.nativeGate;
const gate = new Int32Array(shared ?? new SharedArrayBuffer(4));

/** For `new Worker(…, { workerData })`. */
export function nativeData(): NativeData {
  return { nativeGate: gate.buffer };
}

/** Loads a package with native code, one thread of the process at a time: their start-up is not made for two at once. */
export function requireNative(name: "koffi" | "lmdb"): unknown {
  return oneAtATime(() => require(name) as unknown);
}

/** Runs `body` while no other thread is in here. */
export function oneAtATime<T>(body: () => T): T {
  while (Atomics.compareExchange(gate, 0, 0, 1) !== 0) Atomics.wait(gate, 0, 1);
  try {
    return body();
  } finally {
    Atomics.store(gate, 0, 0);
    Atomics.notify(gate, 0, 1);
  }
}
