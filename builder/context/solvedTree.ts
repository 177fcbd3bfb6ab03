import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import { marshal } from "../../solver/llb/marshal.js";
import type { Output } from "../../solver/llb/state.js";
import type { Solver } from "../../solver/solve.js";
import { bringer } from "../image/absent.js";
import type { Executor } from "../executor/executor.js";
import type { Report } from "../internalStep.js";
import type { BuildLogs } from "../logs/buildLogs.js";
import { withNestedSolve } from "../nestedSolve.js";
import { opRunner } from "../ops/mod.js";
import { scratchRef } from "../ops/opDeps.js";
import { openTree, type ReadTree } from "../ops/trees.js";
import type { ApplyPolicy } from "../policy/applyPolicy.js";
import type { RemoteAccess } from "../remote.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { type LocalDirectory, localSource } from "../source/local.js";
import { buildSources } from "../source/mod.js";
import type { SourcePins } from "../source/pins.js";

/** What is there of a build before its context is. */
export interface ContextDeps {
  readonly parts: { readonly store: Store; readonly executor: Executor; readonly solver: Solver<Ref>; readonly cdiDirs: readonly string[] };
  readonly remote: Pick<RemoteAccess, "sources" | "transport" | "refetch" | "bringBlob">;
  readonly applyPolicy: ApplyPolicy;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  readonly pins?: SourcePins | undefined;
  readonly logs: Pick<BuildLogs, "fileOf">;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Runs the steps that bring a tree in, or takes them from the cache, and opens it for reading. */
export async function solvedTree(deps: ContextDeps, wanted: Output, locals: ReadonlyMap<string, LocalDirectory> = new Map()): Promise<ReadTree> {
  const { parts, remote, secrets, agents, pins, logs, report, signal } = deps;
  const { store, executor, solver } = parts;
  const sources = buildSources({ store, remote, secrets, agents, local: localSource(locals), pins });
  const bringHere = bringer(store, remote.refetch);
  const opDeps = withNestedSolve(deps, { store, executor, sources, secrets, agents, logs, epoch: null, bringHere, isRead: () => true });
  const definition = await deps.applyPolicy(marshal(wanted, []), { signal });
  const ref = (await solver.solve(definition, { signal, report, runnerFor: (vertex) => opRunner(opDeps, vertex) })) ?? scratchRef;
  return await openTree(store, ref);
}
