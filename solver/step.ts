import type { CacheIndex } from "../cache/index.js";
import type { KeyParts } from "../cache/meta/records.js";
import type { CacheKey } from "./cacheKey.js";
import { type FairLimits, fairQueue } from "./fairQueue.js";
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
  /** The key that users of the step build on; one of `keys`. */
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

/** Runs steps of all builds of one solver: equal ones once, and no more than so many at a time, each build having its share. */
export interface StepRunner<R> {
  /** `build`: what is the same for all steps of one. */
  run(step: Step<R>, waiter: Waiter, build: object): Promise<StepResult<R>>;
}

interface Landed<R> extends StepResult<R> {
  readonly stored: readonly CacheKey[];
}

/** A runner with nothing to do. `limits`: steps at a time, of all builds and of one. */
export function createStepRunner<R>(index: CacheIndex<R>, limits: FairLimits): StepRunner<R> {
  const queue = fairQueue(limits);
  const flights = createFlights<Landed<R>>();
  let unshared = 0;

  return {
    async run(step, waiter, build) {
      const { storing } = step;
      const shared = storing?.reuse === "allowed" ? storing.canonical : `unshared-${unshared++}`;
      const landed = await flights.join(shared, waiter, (opts) => queue.run(build, opts.signal, () => execute(step, index, opts)));
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
