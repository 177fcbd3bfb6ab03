import type { Digest } from "../cache/oci/digest.js";
import type { Ref } from "../cache/ref.js";
import { topologicalOrder, type Vertex } from "../solver/graph.js";
import { fileEpoch } from "./epoch.js";
import { filesRead } from "./filesRead.js";
import type { BringHere } from "./image/absent.js";
import { withNestedSolve } from "./nestedSolve.js";
import { asSnapshot } from "./ops/localCopy.js";
import { opRunner } from "./ops/mod.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./ops/opDeps.js";
import { watched } from "./ops/watched.js";
import type { KnownStep, SharedResults } from "../solver/sharedResults.js";
import type { PlatformPlan } from "./plan.js";
import type { Running } from "./run.js";
import { buildSources } from "./source/mod.js";
import type { ResolvedOnce } from "./source/resolvedOnce.js";
import type { Source } from "./source/source.js";

/** What the graph came to. */
export interface Solved {
  /** For each platform, in order. */
  readonly refs: readonly SnapshotRef[];
  /** The steps that made a layer which was not there before. */
  readonly fresh: ReadonlySet<Digest>;
  /** All steps that have an identity. */
  readonly known: readonly KnownStep<Ref>[];
}

/** What {@link solveBuild} needs to know besides the plans. */
export interface SolveOptions {
  /** What `local://` stands for. */
  readonly local: Source;
  readonly aroundHttp?: ((downloads: Source) => Source) | undefined;
  readonly resolved?: ResolvedOnce | undefined;
  readonly bringHere: BringHere;
  readonly shared: SharedResults<Ref>;
  readonly restoreMount: OpDeps["restoreMount"];
  /** An export reads the files of the results. */
  readonly readsFiles: boolean;
  /** Hears of each layer of an image that was not there before, as soon as it is. */
  readonly onLayer: (snapshot: string) => void;
}

/** Runs the graph of all platforms at once. */
export async function solveBuild(
  run: Running,
  plans: readonly PlatformPlan[],
  { local, aroundHttp, resolved, bringHere, shared, restoreMount, readsFiles, onLayer }: SolveOptions,
): Promise<Solved> {
  const { parts, remote, secrets, agents, pins, report, signal } = run;
  const sources = buildSources({ store: parts.store, remote, secrets, agents, local, aroundHttp, resolved, pins });
  const read = filesRead(plans.map(({ root }) => root), readsFiles);
  const depsOf = depsByStep(run, plans, { sources, bringHere, restoreMount, isRead: ({ digest }) => read.has(digest) });
  const inImage = new Set(plans.flatMap(({ chain }) => [...chain].map(({ digest }) => digest)));
  const fresh = new Set<Digest>();
  const begin = (step: Digest, ref: Ref) => {
    if (ref.kind !== "snapshot" || ref.name === null) return;
    fresh.add(step);
    onLayer(ref.name);
  };
  const runnerFor = (vertex: Vertex) => {
    const runner = opRunner(depsOf(vertex), vertex);
    return inImage.has(vertex.digest) ? watched(runner, (ref) => begin(vertex.digest, ref)) : runner;
  };
  let known: Solved["known"] = [];
  const onKnown = (steps: Solved["known"]): void => void (known = steps);
  const results = await parts.solver.solveAll(plans.map(({ definition }) => definition), { signal, report, runnerFor, shared, onKnown });
  const refs: SnapshotRef[] = [];
  for (const result of results) refs.push(await asSnapshot(parts.store, result ?? scratchRef, { signal }));
  return { refs, fresh, known };
}

/** Platforms can have bases of different ages. A step of several takes the files' time of the first. */
function depsByStep(
  run: Running,
  plans: readonly PlatformPlan[],
  shared: Pick<OpDeps, "sources" | "bringHere" | "restoreMount" | "isRead">,
): (vertex: Vertex) => OpDeps {
  const { parts, request, secrets, agents, epoch, logs } = run;
  const known = new Map<Digest, OpDeps>();
  for (const { root, image, epoch: own } of plans) {
    const time = fileEpoch(request, own ?? epoch, image);
    const deps = withNestedSolve(run, { ...shared, store: parts.store, executor: parts.executor, secrets, agents, logs, epoch: time });
    for (const { digest } of topologicalOrder(root)) if (!known.has(digest)) known.set(digest, deps);
  }
  return ({ digest, name }) => {
    const deps = known.get(digest);
    if (deps === undefined) throw new Error(`Step "${name}" is of no platform`);
    return deps;
  };
}
