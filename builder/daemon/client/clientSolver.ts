import type { Ref } from "../../../cache/ref.js";
import { loadGraph, topologicalOrder } from "../../../solver/graph.js";
import type { Definition } from "../../../solver/llb/definition.js";
import { despiteLosses } from "../../cacheio/lostLayers.js";
import { bringer } from "../../image/absent.js";
import { internalStep } from "../../internalStep.js";
import { scratchRef } from "../../ops/opDeps.js";
import { openTree, type ReadTree } from "../../ops/trees.js";
import type { BuildJob } from "../job.js";
import type { ClientRun } from "./clientRun.js";
import { noteFailedSolve } from "./failedSolves.js";
import { givenBy } from "./given.js";
import { solveTree } from "../../solveTree.js";

/** Runs graphs of one build for their results, each once. */
export interface ClientSolver {
  solve(definition: Definition): Promise<Ref>;
  /** As {@link ClientSolver.solve}; the result's files are here then. */
  bring(definition: Definition): Promise<Ref>;
  /** Opens a result for reading. */
  open(definition: Definition): Promise<ReadTree>;
  /** Resolves when nothing is solved any more. */
  settled(): Promise<void>;
}

/** A solver that has solved nothing. */
export function clientSolver(run: ClientRun): ClientSolver {
  const { running, session, job, own, entitlements, caches, warn, failed } = run;
  const { store } = running.parts;
  const bringHere = bringer(store, running.remote.refetch, caches.lost.note);
  const known = new Map<string, Promise<Ref>>();

  async function solveNow(asked: Definition): Promise<Ref> {
    noteSources(job, asked);
    const definition = await running.applyPolicy(asked, { signal: job.signal });
    const steps = topologicalOrder(loadGraph(definition));
    const given = await givenBy(session, steps, { signal: job.signal });
    await run.dropCacheMounts(steps);
    const solveOnce = () => solveTree({ ...running, ...given }, definition, { ...own, entitlements, caches, failed });
    try {
      return (await despiteLosses(store, caches.lost, warn, solveOnce)) ?? scratchRef;
    } catch (error) {
      noteFailedSolve(error, run.refs);
      throw error;
    }
  }
  function solve(definition: Definition): Promise<Ref> {
    const key = keyOf(definition);
    const promise = known.get(key) ?? solveNow(definition);
    known.set(key, promise);
    return promise;
  }
  /** What is forgotten meanwhile is solved again. */
  async function bring(definition: Definition): Promise<Ref> {
    let attempts = 0;
    return await despiteLosses(store, caches.lost, warn, async () => {
      if (attempts++ > 0) known.delete(keyOf(definition));
      return await bringOnce(definition);
    });
  }
  async function bringOnce(definition: Definition): Promise<Ref> {
    const ref = await solve(definition);
    if (ref.kind === "snapshot" && ref.name !== null && !(await store.snapshots.stat(ref.name)).here) {
      await internalStep(job.report, "fetching layers", job.signal, (opts) => bringHere([ref], opts));
    }
    return ref;
  }
  return {
    solve,
    bring,
    open: async (definition) => await openTree(store, await bring(definition)),
    settled: async () => void (await Promise.allSettled(known.values())),
  };
}

/** The last entry of a graph says all of it by its digests. */
function keyOf({ def }: Definition): string {
  return Buffer.from(def.at(-1) ?? "").toString("base64");
}

/** Errors and warnings point into the texts that graphs come from. */
export function noteSources({ sources }: BuildJob, { source }: Definition): void {
  for (const info of source.infos) {
    const known = sources.get(info.filename);
    // Where the text comes from is said once.
    const isKnown = known?.definition !== undefined && info.definition === undefined && Buffer.compare(known.data, info.data) === 0;
    if (!isKnown) sources.set(info.filename, info);
  }
}
