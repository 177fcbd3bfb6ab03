import { TbuildError, withRange } from "../../../cache/errors.js";
import type { SyntaxRequest } from "../../../frontend/dockerfile/directives.js";
import { requestedSyntax } from "../../../frontend/dockerfile/syntax.js";
import type { Definition, SourceInfo } from "../../../solver/llb/definition.js";
import { marshal } from "../../../solver/llb/marshal.js";
import type { Output } from "../../../solver/llb/state.js";
import { sourceDetail } from "../../api/errors.js";
import type { FrontendResultMessage, GatewaySolveRequest } from "../../api/gateway.js";
import type { DaemonBuild } from "../daemonBuild.js";
import { runExternal } from "../external/runExternal.js";
import { type GivenDockerfile, planDockerfile, readDockerfile } from "../frontend/dockerfile.js";
import { checkBuiltInCaps } from "../frontend/frontendCaps.js";
import { checkAllowed, frontendImageName, isBuiltIn } from "../frontend/frontendName.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";
import type { FrontendHost } from "../frontend/host.js";
import { answerSubrequest } from "../frontend/subrequest.js";
import { StatusError } from "../handlers.js";
import type { ClientRun } from "./clientRun.js";
import { type ClientSolver, noteSources } from "./clientSolver.js";
import { treeOf } from "./definitionTree.js";
import { nothingGiven } from "./given.js";
import { resultOf } from "./results.js";

/** The build that a frontend is part of. */
export interface FrontendBuild {
  readonly run: ClientRun;
  readonly solver: ClientSolver;
  /** What a frontend in an image asks things of. */
  readonly build: DaemonBuild;
}

/**
 * Runs the frontend that a client asks for, or the one that a file names which was given to the frontend for Dockerfiles.
 * @throws {TbuildError} unsupported, and what is wrong with what it is given
 */
export async function runFrontend(within: FrontendBuild, asked: GatewaySolveRequest): Promise<FrontendResultMessage> {
  const { run, solver } = within;
  const { frontend, frontendOpt: opt, frontendInputs } = asked;
  const image = frontendImageName(frontend, opt, run.frontends);
  run.noteLocalSessions(opt);
  const inputs = new Map(Object.entries(frontendInputs).map(([name, definition]) => [name, inputOf(definition)]));
  const host: FrontendHost = { inputs, open: (tree) => solver.open(marshal(tree, [])) };
  if (image !== null) return await runImage(image, asked, within, host);
  checkBuiltInCaps(opt, "early");
  const given = await readDockerfile(opt, host, { noteSource: noteIn(run) });
  const syntax = foreignSyntax(opt, given, run);
  if (syntax === null) return await runBuiltIn(run, opt, given, host);
  const forwarded = { ...asked, frontend: "gateway.v0", frontendOpt: { ...opt, source: syntax.ref, cmdline: syntax.cmdline } };
  try {
    return await runImage(syntax.ref, forwarded, within, host);
  } catch (error) {
    throw located(error, syntax, run);
  }
}

/** @throws {TbuildError} invalid_argument in BuildKit's words: it has no graph of the empty tree */
function inputOf(definition: Definition): Output | null {
  if (definition.def.length === 0) throw new TbuildError("invalid_argument", "invalid nil input definition to definition op");
  return treeOf(definition);
}

function noteIn({ job }: ClientRun): (info: SourceInfo) => void {
  return (info) => void job.sources.set(info.filename, info);
}

/** A client that has looked at the file itself says so by `cmdline`. */
function foreignSyntax(opt: FrontendOpt, { dockerfile }: GivenDockerfile, { frontends }: ClientRun): SyntaxRequest | null {
  if (opt["cmdline"] !== undefined) return null;
  const asked = requestedSyntax(dockerfile.bytes, opt["build-arg:BUILDKIT_SYNTAX"] ?? "", dockerfile.name);
  return asked === null || isBuiltIn(asked.ref, frontends) ? null : asked;
}

async function runBuiltIn(run: ClientRun, opt: FrontendOpt, given: GivenDockerfile, host: FrontendHost): Promise<FrontendResultMessage> {
  const { job, refs, warn } = run;
  checkBuiltInCaps(opt, "late");
  const parts = {
    remote: run.remoteFor(opt["image-resolve-mode"]),
    secrets: nothingGiven.secrets,
    report: job.report,
    signal: job.signal,
    noteSource: noteIn(run),
    warnBeforeError: warn,
  };
  const answer = await answerSubrequest(opt, given, host, parts);
  if (answer !== null) return answer;
  const planned = await planDockerfile(opt, given, host, parts);
  for (const { definition } of planned.plans) noteSources(job, definition);
  // What is wrong with a file hardly depends on the platform.
  warn(planned.plans[0]?.warnings ?? []);
  return resultOf(planned, refs);
}

async function runImage(name: string, asked: GatewaySolveRequest, { run, solver, build }: FrontendBuild, host: FrontendHost): Promise<FrontendResultMessage> {
  const { running, job, request, workers, refs, frontends } = run;
  checkAllowed(name, frontends);
  const remote = run.remoteFor(asked.frontendOpt["image-resolve-mode"]);
  return await runExternal(name, asked, { parts: running.parts, job, build, session: request.session, workers, refs, host, remote, bring: solver.bring });
}

/** An error that says no place is shown at the line that names the frontend. */
function located(error: unknown, { at }: SyntaxRequest, { job }: ClientRun): unknown {
  if (at === null) return error;
  if (!(error instanceof StatusError)) return withRange(error, at);
  const { status } = error;
  if (status.details.some(({ typeUrl }) => typeUrl.includes("errdefs.Source"))) return error;
  const details = [...status.details, ...sourceDetail(at, { source: (file) => job.sources.get(file) })];
  return new StatusError({ ...status, details }, error.cause);
}
