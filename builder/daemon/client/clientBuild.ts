import type { FrontendResultMessage } from "../../api/gateway.js";
import { type DaemonBuild, type OpenBuild, refsOf } from "../daemonBuild.js";
import { type ClientBuildParts, type ClientRun, openClientRun } from "./clientRun.js";
import { clientSolver } from "./clientSolver.js";
import { clientContainers } from "./containerCalls.js";
import { finishClient } from "./finishClient.js";
import { noteRequest } from "./provenanceOf.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";
import { resolveImage, resolveSource } from "./resolve.js";
import { requestRecords } from "./requestRecords.js";
import { refResult } from "./results.js";
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
  const evaluated = (ref: string) => {
    run.evaluated.add(ref);
    return refs.get(ref);
  };
  /** The build as the frontend of one scope sees it. */
  const buildIn = (scope: BuildScope): DaemonBuild => ({
    ...containers.calls,
    inputs: run.request.frontendInputs,
    async solve(asked) {
      const { definition, frontend, evaluate } = asked;
      const isGraph = definition !== null && definition.def.length > 0;
      const result = isGraph ? refResult(definition, refs) : frontend === "" ? emptyResult : await runFrontend({ run, solver, scope, buildIn }, asked);
      for (const id of refsOf(result)) {
        if (isGraph) scope.refs.add(id);
        noteRequest(run, scopeOf(run.scope, id), id);
        if (evaluate) await solver.solve(evaluated(id));
      }
      return result;
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
    resolveImageConfig: (request) => resolveImage(run, request),
    resolveSourceMeta: (request) => resolveSource(run, request),
    finish: (result) => finishClient(run, solver, result),
    async [Symbol.asyncDispose]() {
      run.stop();
      await containers[Symbol.asyncDispose]();
      await solver.settled();
      run[Symbol.dispose]();
    },
  });
  return buildIn(run.scope);
}

const emptyResult: FrontendResultMessage = {
  refDeprecated: "",
  refsDeprecated: null,
  ref: { id: "", def: null },
  refs: null,
  metadata: {},
  attestations: {},
};
