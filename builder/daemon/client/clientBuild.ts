import type { FrontendResultMessage } from "../../api/gateway.js";
import { type DaemonBuild, type OpenBuild, refsOf } from "../daemonBuild.js";
import { type ClientBuildParts, type ClientRun, openClientRun } from "./clientRun.js";
import { frontendImports } from "./clientCaches.js";
import { clientSolver } from "./clientSolver.js";
import { clientContainers } from "./containerCalls.js";
import { finishClient } from "./finishClient.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";
import { resolveImage, resolveSource } from "./resolve.js";
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
      const { definition, frontend, evaluate } = asked;
      await run.noteCaches([...asked.cacheImports, ...frontendImports(asked.frontendOpt)]);
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
    resolveImageConfig: (request) => resolveImage(run, request),
    resolveSourceMeta: (request) => resolveSource(run, request),
    finish: (result) => finishClient(run, result),
    async [Symbol.asyncDispose]() {
      run.stop();
      await containers[Symbol.asyncDispose]();
      await solver.settled();
      await run.caches[Symbol.asyncDispose]();
      run[Symbol.dispose]();
    },
  };
  return build;
}

const emptyResult: FrontendResultMessage = {
  refDeprecated: "",
  refsDeprecated: null,
  ref: { id: "", def: null },
  refs: null,
  metadata: {},
  attestations: {},
};
