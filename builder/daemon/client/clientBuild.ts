import type { Definition } from "../../../solver/llb/definition.js";
import type { FrontendResultMessage, GatewaySolveRequest } from "../../api/gateway.js";
import { policyApplier } from "../../policy/applyPolicy.js";
import { rulesPolicy } from "../../policy/evaluate.js";
import { readRules } from "../../policy/readRules.js";
import { type DaemonBuild, type OpenBuild, refsOf } from "../daemonBuild.js";
import { type ClientBuildParts, type ClientRun, openClientRun } from "./clientRun.js";
import { clientSolver } from "./clientSolver.js";
import { clientContainers } from "./containerCalls.js";
import { finishClient } from "./finishClient.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";
import { type Decide, resolveImage, resolveSource } from "./resolve.js";
import { refResult } from "./results.js";
import { runFrontend } from "./runFrontend.js";

/** Builds that clients drive. */
export function clientBuilds(deps: ClientBuildParts): OpenBuild {
  return async (request, job) => clientBuild(await openClientRun(deps, request, job));
}

function clientBuild(run: ClientRun): DaemonBuild {
  const { refs } = run;
  const solver = clientSolver(run);
  const containers = clientContainers(run, solver);
  const build: DaemonBuild = {
    ...containers.calls,
    inputs: run.request.frontendInputs,
    async solve(asked) {
      const { frontend, evaluate, sourcePolicies } = asked;
      const definition = asked.definition === null ? null : await restricted(asked.definition, sourcePolicies);
      const isGraph = definition !== null && definition.def.length > 0;
      const result = isGraph ? refResult(definition, refs) : frontend === "" ? emptyResult : await runFrontend({ run, solver, build }, asked);
      if (evaluate) for (const id of refsOf(result)) await solver.solve(refs.get(id));
      return result;
    },
    evaluate: async (ref) => void (await solver.solve(refs.get(ref))),
    async readFile({ ref, filePath, range }) {
      await using tree = await solver.open(refs.get(ref));
      return { data: readRefFile(tree.path, filePath, range) };
    },
    async readDir({ ref, dirPath, includePattern }) {
      await using tree = await solver.open(refs.get(ref));
      return { entries: readRefDirectory(tree.path, dirPath, includePattern) };
    },
    async statFile({ ref, path }) {
      await using tree = await solver.open(refs.get(ref));
      return { stat: statRefFile(tree.path, path) };
    },
    resolveImageConfig: async (request) => await resolveImage(run.resolving, request, deciderFor(run, request)),
    resolveSourceMeta: async (request) => await resolveSource(run.resolving, request, deciderFor(run, request)),
    finish: (result) => finishClient(run, result),
    async [Symbol.asyncDispose]() {
      run.stop();
      await containers[Symbol.asyncDispose]();
      await solver.settled();
      run[Symbol.dispose]();
    },
  };
  return build;
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
