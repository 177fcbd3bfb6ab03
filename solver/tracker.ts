import { type EdgeState, type Fact, advance } from "./edge.js";
import type { Vertex } from "./graph.js";
import type { Job } from "./job.js";

/** Where each vertex of one build stands. */
export interface Tracker<R> {
  stateOf(vertex: Vertex): EdgeState<R>;
  /** True when nothing is stored for a step that has an identity: opening a local directory is no work to wait for. */
  mustRun(vertex: Vertex): boolean;
  /** Something has happened to a vertex; its audience hears of its completion. */
  move(vertex: Vertex, fact: Fact<R>): void;
  /** As the job's `own`; a failure is also the vertex's state. */
  own<T>(vertex: Vertex, work: () => Promise<T>): Promise<T>;
}

/** All vertices wait for their keys. */
export function createTracker<R>(job: Job): Tracker<R> {
  const states = new Map<Vertex, EdgeState<R>>();
  const stateOf = (vertex: Vertex): EdgeState<R> => states.get(vertex) ?? { phase: "waiting-for-key" };

  function move(vertex: Vertex, fact: Fact<R>): void {
    states.set(vertex, advance(stateOf(vertex), fact));
    if (fact.type === "hit") job.reporterOf(vertex).cached();
    if (fact.type === "done") job.reporterOf(vertex).done();
  }

  function mustRun(vertex: Vertex): boolean {
    const state = stateOf(vertex);
    return state.phase === "running" || (state.phase === "missed" && (state.keys.definition ?? state.keys.content) !== null);
  }

  return {
    stateOf,
    mustRun,
    move,
    async own(vertex, work) {
      try {
        return await job.own(vertex, work);
      } catch (error) {
        // Two inputs that are read at the same time can fail both.
        if (stateOf(vertex).phase !== "failed") move(vertex, { type: "failed", error });
        throw error;
      }
    },
  };
}
