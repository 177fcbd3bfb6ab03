import type { Ref } from "../cache/ref.js";
import { topologicalOrder, loadGraph } from "../solver/graph.js";
import type { Definition } from "../solver/llb/definition.js";
import type { BuildCaches } from "./cacheio/buildCaches.js";
import { checkSecrets } from "./checkSecrets.js";
import { checkEntitlements, type Entitlements } from "./entitlements.js";
import { bringer } from "./image/absent.js";
import { withNestedSolve } from "./nestedSolve.js";
import type { FailedTrees } from "./ops/failedStep.js";
import { opRunner } from "./ops/mod.js";
import type { Running } from "./run.js";
import { buildSources, type SourceDeps } from "./source/mod.js";

/** What {@link solveTree} needs to know besides the graph. */
export interface TreeOptions extends Pick<SourceDeps, "local" | "aroundHttp" | "resolved"> {
  readonly entitlements: Entitlements;
  readonly caches: BuildCaches;
  readonly failed?: FailedTrees | undefined;
}

/** Runs a graph for its result alone; null is the empty tree. */
export async function solveTree(run: Running, definition: Definition, { entitlements, caches, failed, ...own }: TreeOptions): Promise<Ref | null> {
  const { parts, remote, secrets, agents, pins, logs, report, signal, epoch } = run;
  const steps = topologicalOrder(loadGraph(definition));
  checkSecrets(steps, run);
  checkEntitlements(steps, entitlements, parts.cdiDirs);
  const { store, executor, solver } = parts;
  const sources = buildSources({ store, remote, secrets, agents, pins, ...own });
  const deps = withNestedSolve(run, { store, executor, sources, secrets, agents, logs, epoch, bringHere: bringer(store, remote.refetch, caches.lost.note), restoreMount: caches.mounts.restore, isRead: () => true, failed });
  return await solver.solve(definition, { signal, report, shared: caches.imports, runnerFor: (vertex) => opRunner(deps, vertex) });
}
