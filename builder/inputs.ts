import path from "node:path";
import type { IgnoreRules } from "../cache/tree/patterns.js";
import type { Output } from "../solver/llb/state.js";
import { dockerfileIn, findDockerfile, type FoundDockerfile } from "./context/dockerfileOf.js";
import { openContext, openDirectory, type OpenContext } from "./context/openContext.js";
import type { ContextDeps } from "./context/solvedTree.js";
import { type IgnoreFile, readIgnoreFile } from "./ignoreFile.js";
import { internalStep } from "./internalStep.js";
import { type NamedContexts, readNamedContexts } from "./namedContexts.js";
import type { BuildRequest } from "./request.js";
import { refuseTwice } from "./context/stdinFile.js";
import type { TextFile } from "./textFile.js";

/** What a frontend reads. */
export interface FrontendInputs {
  readonly dockerfile: TextFile;
  /** Rules of the ignore file that counts. */
  readonly ignore: IgnoreRules;
  /** The build context; "local" is the directory of that name. */
  readonly tree: "local" | Output;
  /** What else there is to copy from, and to build on. */
  readonly named: Pick<NamedContexts, "contexts">;
}

/** The texts that a build starts from. */
export interface BuildInputs extends FrontendInputs {
  /** Absolute path of the context. */
  readonly context: string;
  /** Seconds since the epoch of what was fetched, if it has a time; "head": that of the directory's Git commit, if it is a work tree. */
  readonly contextTime: number | null | "head";
  /** See {@link OpenContext.download}. */
  readonly contextDownload: Output | null;
  /** The ignore file that counts: the Dockerfile's own, else the context's; null when there is none. */
  readonly ignoreFile: IgnoreFile | null;
  readonly named: NamedContexts;
}

type InputRequest = Pick<BuildRequest, "context" | "dockerfile" | "buildContexts" | "buildArgs" | "stdin">;

/** Inputs that may have been fetched: the context stays where it is until they are disposed. */
export interface OpenInputs extends BuildInputs, AsyncDisposable {}

/**
 * Fetches the context where it is not a directory, and reads Dockerfile and ignore file.
 * @throws {TbuildError} not_found, permission_denied, invalid_argument; unauthorized, unavailable, digest_mismatch
 */
export async function openInputs(request: InputRequest, deps: ContextDeps): Promise<OpenInputs> {
  const { stdin = process.stdin } = request;
  refuseTwice(request);
  const context = await openContext({ ...request, stdin }, deps);
  try {
    const inputs = await internalStep(deps.report, "[internal] load build definition", deps.signal, async () =>
      withTexts(request, context, await findDockerfile(context, request.dockerfile, stdin, deps)),
    );
    return { ...inputs, [Symbol.asyncDispose]: () => context[Symbol.asyncDispose]() };
  } catch (error) {
    await context[Symbol.asyncDispose]();
    throw error;
  }
}

/** Reads Dockerfile and ignore file of a directory. @throws {TbuildError} not_found, permission_denied, invalid_argument */
export function readInputs(request: Omit<InputRequest, "stdin">): BuildInputs {
  const context = openDirectory(request.context);
  return withTexts(request, context, dockerfileIn(context, request.dockerfile));
}

function withTexts({ buildContexts }: InputRequest, context: OpenContext, { text, file }: FoundDockerfile): BuildInputs {
  const own = file === null ? [] : [`${file}.dockerignore`];
  const candidates = [...own, path.join(context.path, ".dockerignore")];
  const ignoreFile = context.origin === "directory" ? readIgnoreFile(candidates, context.path) : null;
  const named = readNamedContexts(buildContexts ?? {});
  const contextTime = context.origin === "directory" ? "head" : context.time;
  return { context: context.path, contextTime, contextDownload: context.download, tree: "local", dockerfile: text, ignoreFile, ignore: ignoreFile?.rules ?? [], named };
}
