import type { Store } from "../cache/store.js";
import { loadGraph, topologicalOrder } from "../solver/graph.js";
import { createSolver } from "../solver/solve.js";
import { checkSecrets } from "./checkSecrets.js";
import { checkEntitlements, entitlementsOf } from "./entitlements.js";
import type { Report } from "./internalStep.js";
import { opRunner } from "./ops/mod.js";
import type { ApplyPolicy } from "./policy/applyPolicy.js";
import type { OpDeps } from "./ops/opDeps.js";

/** A build whose steps may have graphs of their own. */
export interface Nesting {
  readonly parts: { readonly store: Store; readonly cdiDirs: readonly string[] };
  readonly report: Report;
  readonly applyPolicy: ApplyPolicy;
}

/**
 * Adds to the deps of a build's steps how they run graphs of their own. Such a graph may use no more than any build may, and
 * its steps are counted apart: those outside wait for it.
 */
export function withNestedSolve({ parts, report, applyPolicy }: Nesting, outer: Omit<OpDeps, "solve">): OpDeps {
  const deps: OpDeps = {
    ...outer,
    async solve(asked, { signal }) {
      const definition = await applyPolicy(asked, { signal });
      const steps = topologicalOrder(loadGraph(definition));
      checkSecrets(steps, outer);
      checkEntitlements(steps, entitlementsOf({}), parts.cdiDirs);
      const inner: OpDeps = { ...deps, isRead: () => true };
      return await createSolver({ index: parts.store.index }).solve(definition, { signal, report, runnerFor: (vertex) => opRunner(inner, vertex) });
    },
  };
  return deps;
}
