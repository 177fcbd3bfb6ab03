import type { CacheIndex } from "../cache/index.js";
import { type Vertex, loadGraphs, topologicalOrder } from "./graph.js";
import { createJob } from "./job.js";
import type { Definition } from "./llb/definition.js";
import type { OpRunner } from "./opRunner.js";
import type { Progress } from "./progress.js";
import { createScheduler } from "./scheduler.js";
import { createStepRunner } from "./step.js";

/** What a solver is made of. `R` is how the caller names a step's result. */
export interface SolverConfig<R> {
  readonly index: CacheIndex<R>;
  /** Steps that run at a time, over all builds; default 64. */
  readonly concurrency?: number;
  /** Of one build, whatever room there is; default all. */
  readonly buildConcurrency?: number | undefined;
}

/** How one build is solved. */
export interface SolveOpts<R> {
  /** The same for all that is solved for one build: by it builds get their shares of the steps that may run. */
  readonly signal: AbortSignal;
  /** Hears everything, in order; must not throw. Nothing comes after `solve` has settled. */
  readonly report: (event: Progress) => void;
  /** Who does the work of a vertex for this build; throws `unsupported` for what nobody can do. Steps are shared with other builds. */
  readonly runnerFor: (vertex: Vertex) => OpRunner<R>;
}

/** Solves builds; those at the same time share equal steps. */
export interface Solver<R> {
  /**
   * The result that `definition` asks for; null is the empty tree. When it rejects, nothing of this build runs any more,
   * and what was finished is stored. An error of a step carries its source range, and `vertexOf` knows its vertex.
   * @throws {TbuildError} invalid_argument for a malformed definition, `cancelled`, or what a step threw
   */
  solve(definition: Definition, opts: SolveOpts<R>): Promise<R | null>;
  /** As `solve` for several definitions in one run: what several of them need is executed once. Results in their order. */
  solveAll(definitions: readonly Definition[], opts: SolveOpts<R>): Promise<readonly (R | null)[]>;
}

/** A solver with no builds. */
export function createSolver<R>({ index, concurrency = 64, buildConcurrency }: SolverConfig<R>): Solver<R> {
  const steps = createStepRunner(index, { total: concurrency, perOwner: buildConcurrency });
  async function solveAll(definitions: readonly Definition[], opts: SolveOpts<R>): Promise<readonly (R | null)[]> {
    const targets = loadGraphs(definitions);
    const vertices = topologicalOrder(...targets);
    using job = createJob(vertices, opts.signal, opts.report);
    const scheduler = createScheduler({ runnerFor: opts.runnerFor, index, steps, build: opts.signal }, job);
    try {
      scheduler.prepare(vertices);
      const results = await Promise.all(targets.map(async (target) => (target === null ? null : await scheduler.resultOf(target))));
      await scheduler.settled();
      job.succeeded();
      return results;
    } catch (error) {
      await scheduler.settled();
      throw job.stopped(error);
    }
  }

  return { solveAll, solve: async (definition, opts) => (await solveAll([definition], opts))[0] ?? null };
}
