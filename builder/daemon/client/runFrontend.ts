import { TbuildError } from "../../../cache/errors.js";
import type { SourceInfo } from "../../../solver/llb/definition.js";
import { marshal } from "../../../solver/llb/marshal.js";
import type { FrontendResultMessage, GatewaySolveRequest } from "../../api/gateway.js";
import { planDockerfile } from "../frontend/dockerfile.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";
import type { FrontendHost } from "../frontend/host.js";
import { answerSubrequest } from "../frontend/subrequest.js";
import type { ClientRun } from "./clientRun.js";
import { type ClientSolver, noteSources } from "./clientSolver.js";
import { treeOf } from "./definitionTree.js";
import { nothingGiven } from "./given.js";
import { resultOf } from "./results.js";

/** Runs the frontend that a client asks for. @throws {TbuildError} unsupported, and what is wrong with what it is given */
export async function runFrontend(run: ClientRun, solver: ClientSolver, asked: GatewaySolveRequest): Promise<FrontendResultMessage> {
  const { frontend, frontendOpt: opt, frontendInputs } = asked;
  const { job, refs, warn } = run;
  checkFrontend(frontend, opt);
  run.noteLocalSessions(opt);
  const inputs = new Map(Object.entries(frontendInputs).map(([name, definition]) => [name, treeOf(definition)]));
  const host: FrontendHost = { inputs, open: (tree) => solver.open(marshal(tree, [])) };
  const parts = {
    remote: run.remoteFor(opt["image-resolve-mode"]),
    secrets: nothingGiven.secrets,
    report: job.report,
    signal: job.signal,
    noteSource: (info: SourceInfo) => void job.sources.set(info.filename, info),
  };
  const answer = await answerSubrequest(opt, host, parts);
  if (answer !== null) return answer;
  const planned = await planDockerfile(opt, host, parts);
  for (const { definition } of planned.plans) noteSources(job, definition);
  // What is wrong with a file hardly depends on the platform.
  warn(planned.plans[0]?.warnings ?? []);
  return resultOf(planned, refs);
}

/** Frontends of images that are Docker's own are the one that is built in. */
function checkFrontend(name: string, opt: FrontendOpt): void {
  if (name === "dockerfile.v0") return;
  const source = opt["source"] ?? "";
  if (name === "gateway.v0" && /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(source)) return;
  const shown = name === "gateway.v0" ? source : name;
  throw new TbuildError("unsupported", `Cannot run the frontend "${shown}": there is only the one for Dockerfiles`);
}
