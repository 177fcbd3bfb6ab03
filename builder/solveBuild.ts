import { TbuildError } from "../cache/errors.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Ref } from "../cache/ref.js";
import { topologicalOrder, type Vertex } from "../solver/graph.js";
import { createSolver } from "../solver/solve.js";
import { fileEpoch } from "./epoch.js";
import { opRunner } from "./ops/mod.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./ops/opDeps.js";
import { watched } from "./ops/watched.js";
import type { PlatformPlan } from "./plan.js";
import type { Run } from "./run.js";
import type { LocalDirectory } from "./source/local.js";
import { buildSources } from "./source/mod.js";
import type { Source } from "./source/source.js";

/** What the graph came to. */
export interface Solved {
  /** For each platform, in order. */
  readonly refs: readonly SnapshotRef[];
  /** The steps that made a layer which was not there before. */
  readonly fresh: ReadonlySet<Digest>;
}

/**
 * Runs the graph of all platforms at once. `onLayer` hears of each layer of an image that was not there before, as soon as
 * it is.
 */
export async function solveBuild(
  run: Run,
  plans: readonly PlatformPlan[],
  locals: ReadonlyMap<string, LocalDirectory>,
  onLayer: (snapshot: string) => void,
): Promise<Solved> {
  const { parts, remote, secrets, agents, report, signal } = run;
  const sources = buildSources({ store: parts.store, remote, secrets, agents }, locals);
  const depsOf = depsByStep(run, plans, sources);
  const inImage = new Set(plans.flatMap(({ chain }) => [...chain].map(({ digest }) => digest)));
  const fresh = new Set<Digest>();
  const begin = (step: Digest, ref: Ref) => {
    if (ref.kind !== "snapshot" || ref.name === null) return;
    fresh.add(step);
    onLayer(ref.name);
  };
  const solver = createSolver<Ref>({
    runnerFor(vertex) {
      const runner = opRunner(depsOf(vertex), vertex);
      return inImage.has(vertex.digest) ? watched(runner, (ref) => begin(vertex.digest, ref)) : runner;
    },
    index: parts.store.index,
    concurrency: parts.concurrency,
  });
  const results = await solver.solveAll(plans.map(({ definition }) => definition), { signal, report });
  return { refs: results.map(imageRef), fresh };
}

/** Platforms can have bases of different ages. A step of several takes the files' time of the first. */
function depsByStep({ parts, request, secrets, agents, epoch, logs }: Run, plans: readonly PlatformPlan[], sources: readonly Source[]): (vertex: Vertex) => OpDeps {
  const known = new Map<Digest, OpDeps>();
  for (const { root, image } of plans) {
    const deps = { store: parts.store, executor: parts.executor, sources, secrets, agents, logs, epoch: fileEpoch(request, epoch, image) };
    for (const { digest } of topologicalOrder(root)) if (!known.has(digest)) known.set(digest, deps);
  }
  return ({ digest, name }) => {
    const deps = known.get(digest);
    if (deps === undefined) throw new Error(`Step "${name}" is of no platform`);
    return deps;
  };
}

function imageRef(ref: Ref | null): SnapshotRef {
  if (ref === null || ref.kind === "snapshot") return ref ?? scratchRef;
  throw new TbuildError("unsupported", "Cannot export a local directory as an image");
}
