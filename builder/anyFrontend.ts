import { TbuildError } from "../cache/errors.js";
import { isForeignSyntax } from "../frontend/dockerfile/syntax.js";
import type { Linted } from "../frontend/subrequests/lint.js";
import { runBuild } from "./build.js";
import { type CallKind, type CallResult, callFrontend } from "./call.js";
import type { TbuildConfig } from "./config.js";
import { parseMainContext } from "./context/mainContext.js";
import type { Report } from "./internalStep.js";
import type * as ownDaemon from "./ownDaemon.js";
import type { BuildRequest, BuildResult } from "./request.js";
import type { BuildParts } from "./run.js";

/** Builds and questions of this process, whatever the frontend. */
export interface AnyFrontend {
  /** See {@link runBuild}. */
  build(request: BuildRequest, report: Report, signal: AbortSignal): Promise<BuildResult>;
  /** See {@link callFrontend}. */
  call<K extends CallKind>(request: BuildRequest, kind: K, signal: AbortSignal): Promise<CallResult<K>>;
}

/** Reads Dockerfiles itself; a file that asks for another frontend is handed to that one, which a daemon of this process runs. */
export function anyFrontend(parts: BuildParts, settings: TbuildConfig): AnyFrontend {
  const otherwise = async <T>(request: BuildRequest, own: () => Promise<T>, other: (daemon: typeof ownDaemon) => Promise<T>): Promise<T> => {
    try {
      return await own();
    } catch (error) {
      if (!isForeignSyntax(error)) throw error;
      if (readsStdin(request)) throw stdinIsGone(error);
      return await other(await import("./ownDaemon.js"));
    }
  };
  return {
    build: async (request, report, signal) =>
      await otherwise(request, () => runBuild(parts, request, report, signal), ({ buildOnOwn }) => buildOnOwn(parts, settings, request, report, signal)),
    call: async (request, kind, signal) =>
      await otherwise(request, () => askOwn(parts, request, kind, signal), ({ callOnOwn }) => callOnOwn(parts, settings, request, kind, signal)),
  };
}

/** A check answers with what is wrong. */
async function askOwn<K extends CallKind>(...args: Parameters<typeof callFrontend<K>>): Promise<CallResult<K>> {
  const answer = await callFrontend(...args);
  const { error } = answer as Partial<Linted>;
  if (isForeignSyntax(error)) throw error;
  return answer;
}

/** It can be read once, and was. */
function stdinIsGone(refusal: TbuildError): TbuildError {
  const hint = "Put into files what comes on standard input; if this is a Dockerfile, --build-arg BUILDKIT_SYNTAX=dockerfile.v0 reads it as one";
  return new TbuildError("unsupported", "Cannot give standard input to another frontend", { at: refusal.at, hint, cause: refusal });
}

function readsStdin({ context, dockerfile }: BuildRequest): boolean {
  return dockerfile === "-" || parseMainContext(context).kind === "stdin";
}
