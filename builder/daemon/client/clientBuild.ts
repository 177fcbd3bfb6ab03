import { TbuildError } from "../../../cache/errors.js";
import { hostPlatform } from "../../../cache/oci/platform.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { internalStep } from "../../internalStep.js";
import { type DaemonBuild, type OpenBuild, refsOf } from "../daemonBuild.js";
import { type ClientBuildParts, type ClientRun, openClientRun } from "./clientRun.js";
import { clientSolver } from "./clientSolver.js";
import { finishClient } from "./finishClient.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";
import { refResult } from "./results.js";
import { runFrontend } from "./runFrontend.js";

/** Builds that clients drive. */
export function clientBuilds(deps: ClientBuildParts): OpenBuild {
  return async (request, job) => clientBuild(await openClientRun(deps, request, job), deps.allowed);
}

function clientBuild(run: ClientRun, allowed: readonly string[]): DaemonBuild {
  const { refs } = run;
  const solver = clientSolver(run);
  const build: DaemonBuild = {
    inputs: run.request.frontendInputs,
    async solve(asked) {
      const { definition, frontend, evaluate } = asked;
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
    async resolveSourceMeta({ source, ...request }) {
      const ref = /^docker-image:\/\/(.*)$/s.exec(source?.identifier ?? "")?.[1];
      if (source === null || ref === undefined) {
        throw new TbuildError("unsupported", `Cannot tell what "${source?.identifier ?? ""}" is: only images are supported`);
      }
      const { digest, config } = await resolveImage(run, { ref, ...request });
      return { source, image: { digest, config } };
    },
    finish: (result) => finishClient(run, allowed, result),
    async [Symbol.asyncDispose]() {
      run.stop();
      await solver.settled();
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

type ImageQuestion = Pick<Parameters<DaemonBuild["resolveImageConfig"]>[0], "ref" | "platform" | "resolveMode" | "logName">;

async function resolveImage({ job, remoteFor }: ClientRun, { ref, platform, resolveMode, logName }: ImageQuestion) {
  const name = logName === "" ? `resolve image config for ${ref}` : logName;
  const image = await internalStep(job.report, name, job.signal, (opts) => remoteFor(resolveMode).resolveImage(ref, platform ?? hostPlatform(), opts));
  return { digest: image.digest ?? "", config: Buffer.from(JSON.stringify(image.config)), ref: image.reference };
}
