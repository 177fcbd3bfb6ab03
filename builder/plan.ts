import { hostPlatform, type Platform } from "../cache/oci/platform.js";
import { dockerfileToDefinition, type FrontendResult } from "../frontend/mod.js";
import { type FrontendOptions, defaultFrontendOptions } from "../frontend/options.js";
import { type Edge, loadGraphs, type Vertex } from "../solver/graph.js";
import { unlimited, type LinuxResources } from "../solver/llb/op.js";
import { allOrErrors } from "./allOrErrors.js";
import { type ImageResolvers, imageResolvers } from "./imageResolvers.js";
import type { FrontendInputs } from "./inputs.js";
import { layerChain } from "./layerChain.js";
import { rootKind, targetPlatforms } from "./platforms.js";
import type { BuildRequest } from "./request.js";
import type { Run } from "./run.js";

/** What is built for one platform. */
export interface PlatformPlan extends FrontendResult {
  /** The graph of the target; null is the empty tree. A step that several platforms need is one vertex. */
  readonly root: Edge | null;
  /** The steps whose results are layers of the image. */
  readonly chain: ReadonlySet<Vertex>;
}

/**
 * Turns the Dockerfile into the graph of its target, for each platform.
 * @throws {TbuildError} see `dockerfileToDefinition`; what is wrong for several platforms is said once
 */
export async function planBuild(run: FrontendRun): Promise<readonly PlatformPlan[]> {
  const { bytes } = run.inputs.dockerfile;
  const resolvers = imageResolvers(run);
  const frontends = targetPlatforms(run.request).map((platform, index) => {
    const options = frontendOptions(run, platform, resolvers);
    // What is wrong with a file hardly depends on the platform.
    const { warnBeforeError } = index === 0 ? { ...options, ...run } : options;
    return dockerfileToDefinition(bytes, { ...options, warnBeforeError: warnBeforeError ?? options.warnBeforeError });
  });
  const results = allOrErrors(await Promise.allSettled(frontends));
  const roots = loadGraphs(results.map(({ definition }) => definition));
  return results.map((result, index) => ({ ...result, root: roots[index] ?? null, chain: layerChain(roots[index] ?? null) }));
}

/** What the frontend needs to know of a build. */
export interface FrontendRun extends Pick<Run, "remote" | "secrets" | "epoch" | "report" | "signal"> {
  readonly request: Omit<BuildRequest, "context">;
  readonly inputs: FrontendInputs;
  /** Default "refuse". */
  readonly foreignSyntax?: FrontendOptions["foreignSyntax"];
  /** Default "base". */
  readonly created?: FrontendOptions["created"];
  /** Default: nothing has a time. */
  readonly sourceTime?: FrontendOptions["sourceTime"];
  /** Hears of warnings when the plan fails; default nobody. */
  readonly warnBeforeError?: FrontendOptions["warnBeforeError"];
}

/** The options of the Dockerfile frontend that a request stands for. */
export function frontendOptions(run: FrontendRun, platform: Platform, resolvers: ImageResolvers = imageResolvers(run)): FrontendOptions {
  const { request, inputs, secrets, epoch } = run;
  return {
    ...defaultFrontendOptions,
    file: inputs.dockerfile.name,
    target: request.target ?? null,
    buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
    foreignSyntax: run.foreignSyntax ?? defaultFrontendOptions.foreignSyntax,
    created: run.created ?? defaultFrontendOptions.created,
    sourceTime: run.sourceTime ?? defaultFrontendOptions.sourceTime,
    labels: new Map(Object.entries(request.labels ?? {})),
    platform,
    buildPlatform: hostPlatform(),
    platformNames: rootKind(request) === "index" ? "always" : "foreign",
    noCache: request.noCache === true ? "all" : (request.noCacheFilter ?? []),
    context: inputs.tree,
    ignore: inputs.ignore,
    contexts: inputs.named.contexts,
    epoch,
    hostname: request.hostname ?? null,
    network: request.network ?? "default",
    extraHosts: request.extraHosts ?? [],
    ulimits: request.ulimits ?? [],
    cgroupParent: request.cgroupParent ?? "",
    shmSize: request.shmSize ?? null,
    resources: resourcesOf(request),
    findSecret: (text) => secrets.findIn(text),
    ...resolvers,
  };
}

function resourcesOf({ resources }: Pick<BuildRequest, "resources">): LinuxResources | null {
  return resources === undefined ? null : { ...unlimited, ...resources };
}
