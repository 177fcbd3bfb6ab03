import type { Definition } from "../../../solver/llb/definition.js";
import type { FrontendResultMessage, GatewaySolveRequest } from "../../api/gateway.js";
import { policyApplier } from "../../policy/applyPolicy.js";
import { rulesPolicy } from "../../policy/evaluate.js";
import { readRules } from "../../policy/readRules.js";
import { type DaemonBuild, type OpenBuild, refsOf } from "../daemonBuild.js";
import { type ClientBuildParts, type ClientRun, openClientRun } from "./clientRun.js";
import { frontendImports } from "./clientCaches.js";
import { clientSolver } from "./clientSolver.js";
import { clientContainers } from "./containerCalls.js";
import { finishClient } from "./finishClient.js";
import { historyProvenance } from "./historyProvenance.js";
import { noteRequest } from "./provenanceOf.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";
import { type Decide, resolveImage, resolveSource } from "./resolve.js";
import { requestRecords } from "./requestRecords.js";
import { refResult } from "./results.js";
import type { FinishedPlatform } from "./resultProvenance.js";
import { runFrontend } from "./runFrontend.js";
import { type BuildScope, scopeOf } from "./scope.js";

/** Builds that clients drive. */
export function clientBuilds(deps: ClientBuildParts): OpenBuild {
  const records = requestRecords();
  return async (request, job) => clientBuild(await openClientRun({ ...deps, records }, request, job));
}

function clientBuild(run: ClientRun): DaemonBuild {
  const { refs } = run;
  const solver = clientSolver(run);
  const containers = clientContainers(run, solver);
  let exported: readonly FinishedPlatform[] = [];
  const evaluated = (ref: string) => {
    run.evaluated.add(ref);
    return refs.get(ref);
  };
  const solveIn = async (scope: BuildScope, asked: GatewaySolveRequest): Promise<FrontendResultMessage> => {
    const { frontend, evaluate, sourcePolicies } = asked;
    const definition = asked.definition === null ? null : await restricted(asked.definition, sourcePolicies);
    await run.noteCaches([...asked.cacheImports, ...frontendImports(asked.frontendOpt)]);
    const isGraph = definition !== null && definition.def.length > 0;
    const result = isGraph ? refResult(definition, refs) : frontend === "" ? emptyResult : await runFrontend({ run, solver, scope, buildIn }, asked);
    for (const id of refsOf(result)) {
      if (isGraph) scope.refs.add(id);
      noteRequest(run, scopeOf(run.scope, id), id);
      if (evaluate) await solver.solve(evaluated(id));
    }
    return result;
  };
  /** A build may be over, or cancelled, while frontends still run. */
  const solving = new Set<Promise<unknown>>();
  /** The build as the frontend of one scope sees it. */
  const buildIn = (scope: BuildScope): DaemonBuild => ({
    ...containers.calls,
    inputs: run.request.frontendInputs,
    async solve(asked) {
      const work = solveIn(scope, asked);
      solving.add(work);
      try {
        return await work;
      } finally {
        solving.delete(work);
      }
    },
    evaluate: async (ref) => void (await solver.solve(evaluated(ref))),
    async readFile({ ref, filePath, range }) {
      await using tree = await solver.open(evaluated(ref));
      return { data: readRefFile(tree.path, filePath, range) };
    },
    async readDir({ ref, dirPath, includePattern }) {
      await using tree = await solver.open(evaluated(ref));
      return { entries: readRefDirectory(tree.path, dirPath, includePattern) };
    },
    async statFile({ ref, path }) {
      await using tree = await solver.open(evaluated(ref));
      return { stat: statRefFile(tree.path, path) };
    },
    resolveImageConfig: async (request) => await resolveImage(run.resolving, request, deciderFor(run, request)),
    resolveSourceMeta: async (request) => await resolveSource(run.resolving, request, deciderFor(run, request)),
    async finish(result) {
      const { response, platforms } = await finishClient(run, solver, result);
      exported = platforms;
      return response;
    },
    provenance: async () => await historyProvenance(run, exported),
    async [Symbol.asyncDispose]() {
      run.stop();
      await Promise.allSettled(solving);
      await containers[Symbol.asyncDispose]();
      await solver.settled();
      await run.failed[Symbol.asyncDispose]();
      await run.caches[Symbol.asyncDispose]();
      run[Symbol.dispose]();
    },
  });
  return buildIn(run.scope);
}

type RawPolicies = GatewaySolveRequest["sourcePolicies"];

/** The rules that come with a graph are for it alone; those of the whole build are asked when it runs. */
async function restricted(definition: Definition, policies: RawPolicies): Promise<Definition> {
  const rules = policies.map(({ rules: raw }) => readRules(raw));
  return rules.length === 0 ? definition : await policyApplier(rulesPolicy(rules))(definition, {});
}

function deciderFor({ policy, job }: ClientRun, { sourcePolicies }: { readonly sourcePolicies: RawPolicies }): Decide {
  const rules = sourcePolicies.map(({ rules: raw }) => readRules(raw));
  return async (source) => await policy.decide(source, rules, { signal: job.signal });
}

const emptyResult: FrontendResultMessage = {
  refDeprecated: "",
  refsDeprecated: null,
  ref: { id: "", def: null },
  refs: null,
  metadata: {},
  attestations: {},
};
