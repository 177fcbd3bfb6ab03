import { TbuildError } from "../../cache/errors.js";
import type { Definition } from "../../solver/llb/definition.js";
import type { SolveRequest } from "../api/control.js";
import type { ExecMessage, ExecMessageInput } from "../api/container.js";
import type { FrontendResultMessage, gatewayService, GatewaySolveRequest } from "../api/gateway.js";
import type { Decoded, Encodable } from "../api/schema.js";
import type { SaidOfResult } from "../history/buildEnd.js";
import type { BuildJob } from "./job.js";

type Methods = typeof gatewayService.methods;
type Request<N extends keyof Methods> = Decoded<Methods[N]["request"]>;
type Response<N extends keyof Methods> = Promise<Encodable<Methods[N]["response"]>>;

/**
 * What one build of a client can be asked. References are ids that {@link DaemonBuild.solve} has handed out; "" is the empty
 * tree. They are lazy: what has one need not have run.
 */
export interface DaemonBuild extends AsyncDisposable {
  /** Graphs that the frontend was given, by name. */
  readonly inputs: Readonly<Record<string, Definition>>;
  /** Runs a frontend, or takes a graph, and hands out references. */
  solve(request: GatewaySolveRequest): Promise<FrontendResultMessage>;
  /** Runs what the reference needs. */
  evaluate(ref: string): Promise<void>;
  readFile(request: Request<"ReadFile">): Response<"ReadFile">;
  readDir(request: Request<"ReadDir">): Response<"ReadDir">;
  statFile(request: Request<"StatFile">): Response<"StatFile">;
  resolveImageConfig(request: Request<"ResolveImageConfig">): Response<"ResolveImageConfig">;
  resolveSourceMeta(request: Request<"ResolveSourceMeta">): Response<"ResolveSourceMeta">;
  newContainer(request: Request<"NewContainer">): Promise<void>;
  releaseContainer(id: string): Promise<void>;
  /** Runs processes in containers; see `runProcesses`. `signal` says that nobody listens any more. */
  execProcess(messages: AsyncIterable<ExecMessage>, signal: AbortSignal): AsyncIterable<ExecMessageInput>;
  /** As those without "Container", where `ref` is a container and `mountIndex` one of its mounts. */
  readFileContainer(request: Request<"ReadFile">): Response<"ReadFile">;
  readDirContainer(request: Request<"ReadDir">): Response<"ReadDir">;
  statFileContainer(request: Request<"StatFile">): Response<"StatFile">;
  /** Runs what the result needs, exports it, and answers what the client hears of that. */
  finish(result: FrontendResultMessage | null): Promise<Readonly<Record<string, string>>>;
  /** Provenance of what {@link DaemonBuild.finish} has exported, for the history; from what is known, without asking anybody. */
  provenance(): Promise<readonly SaidOfResult[]>;
}

/** Opens the build of a request. What the build tells goes to the job. */
export type OpenBuild = (request: SolveRequest, job: BuildJob) => Promise<DaemonBuild>;

/** A build that runs nothing: a client that only asks what there is returns an empty result. */
export async function openEmptyBuild(): Promise<DaemonBuild> {
  const refuse = async (): Promise<never> => {
    throw new TbuildError("unsupported", "Cannot build: this daemon runs no frontend");
  };
  return {
    inputs: {},
    solve: refuse,
    evaluate: refuse,
    readFile: refuse,
    readDir: refuse,
    statFile: refuse,
    resolveImageConfig: refuse,
    resolveSourceMeta: refuse,
    newContainer: refuse,
    releaseContainer: refuse,
    execProcess: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
    readFileContainer: refuse,
    readDirContainer: refuse,
    statFileContainer: refuse,
    finish: async (result) => (refsOf(result).length > 0 ? await refuse() : frontendMetadata(result)),
    provenance: async () => Promise.resolve([]),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** The references of a result that are not empty. */
export function refsOf(result: FrontendResultMessage | null): readonly string[] {
  if (result === null) return [];
  const { refDeprecated, refsDeprecated, ref, refs } = result;
  const ids = [refDeprecated, ...Object.values(refsDeprecated?.refs ?? {}), ref?.id ?? "", ...Object.values(refs?.refs ?? {}).map(({ id }) => id)];
  return ids.filter((id) => id !== "");
}

/** What of a frontend's metadata the client gets back. */
export function frontendMetadata(result: FrontendResultMessage | null): Readonly<Record<string, string>> {
  const entries = Object.entries(result?.metadata ?? {}).filter(([key]) => key.startsWith("frontend."));
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value).toString("utf8")]));
}
