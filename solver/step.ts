import PQueue from "p-queue";
import type { CacheIndex } from "../cache/index.js";
import type { KeyParts } from "../cache/meta/records.js";
import type { CacheKey } from "./cacheKey.js";
import { type RunOpts, type Waiter, createFlights } from "./flight.js";
import type { Vertex } from "./graph.js";
import type { OpRunner } from "./opRunner.js";

/** A step whose result is stored nowhere, ready to run. */
export interface Step<R> {
  readonly vertex: Vertex;
  readonly runner: OpRunner<R>;
  readonly inputs: readonly R[];
  /** Null: the result has no identity and is not stored. */
  readonly storing: Storing | null;
}

/** Where a step's result goes. */
export interface Storing {
  /** The key that users of the step build on. */
  readonly canonical: CacheKey;
  readonly keys: readonly CacheKey[];
  readonly parts: KeyParts;
  /** "never": the step must run anew, whatever is stored or being made for another build. */
  readonly reuse: "allowed" | "never";
}

/** What running a step gave. */
export interface StepResult<R> {
  readonly outputs: readonly R[];
  /** True when, after waiting for its turn, the step found its result stored. */
  readonly cached: boolean;
}

/** Runs steps of all builds of one solver: equal ones once, and no more than so many at a time. */
export interface StepRunner<R> {
  run(step: Step<R>, waiter: Waiter): Promise<StepResult<R>>;
}

interface Landed<R> extends StepResult<R> {
  readonly stored: readonly CacheKey[];
}

/** A runner with nothing to do. `concurrency`: steps at a time. */
export function createStepRunner<R>(index: CacheIndex<R>, concurrency: number): StepRunner<R> {
  const queue = new PQueue({ concurrency });
  const flights = createFlights<Landed<R>>();
  let unshared = 0;

  return {
    async run(step, waiter) {
      const { storing } = step;
      const shared = storing?.reuse === "allowed" ? storing.canonical : `unshared-${unshared++}`;
      const landed = await flights.join(shared, waiter, (opts) => inTurn(queue, opts.signal, () => execute(step, index, opts)));
      // The run may have been another build's, which reached the same content by another definition.
      const missing = storing?.keys.filter((key) => !landed.stored.includes(key)) ?? [];
      if (storing !== null && missing.length > 0) await index.save(missing, storing.canonical, landed.outputs, storing.parts);
      return landed;
    },
  };
}

async function execute<R>({ vertex, runner, inputs, storing }: Step<R>, index: CacheIndex<R>, opts: RunOpts): Promise<Landed<R>> {
  if (storing?.reuse === "allowed") {
    const hit = await index.query(storing.canonical);
    if (hit !== null) return { outputs: hit.outputs, cached: true, stored: [storing.canonical] };
  }
  opts.listener.started();
  const outputs = await runner.exec(vertex, inputs, { signal: opts.signal, report: opts.listener });
  if (storing !== null) await index.save(storing.keys, storing.canonical, outputs, storing.parts);
  return { outputs, cached: false, stored: storing?.keys ?? [] };
}

/** The result of `task`, run when there is room. Unlike the queue's own promise, rejects only when the task has ended. */
async function inTurn<T>(queue: PQueue, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  let running: Promise<T> | undefined;
  try {
    return await queue.add(() => (running = task()), { signal });
  } catch (error) {
    if (running === undefined) throw error;
    return await running;
  }
}
