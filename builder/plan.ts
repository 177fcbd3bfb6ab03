import { hostPlatform } from "../cache/oci/platform.js";
import { dockerfileToDefinition, type FrontendResult } from "../frontend/mod.js";
import { type FrontendOptions, defaultFrontendOptions } from "../frontend/options.js";
import { unlimited, type LinuxResources } from "../solver/llb/op.js";
import { internalStep } from "./internalStep.js";
import type { BuildRequest } from "./request.js";
import type { Run } from "./run.js";

/** Turns the Dockerfile into the graph of its target. @throws {TbuildError} see `dockerfileToDefinition` */
export async function planBuild(run: Run): Promise<FrontendResult> {
  const result = await dockerfileToDefinition(run.inputs.dockerfile.bytes, frontendOptions(run));
  for (const warning of result.warnings) run.report({ type: "warning", vertex: null, warning });
  return result;
}

/** What the frontend needs to know of a build. */
export type FrontendRun = Pick<Run, "request" | "inputs" | "remote" | "secrets" | "epoch" | "report" | "signal">;

/** The options of the Dockerfile frontend that a request stands for. */
export function frontendOptions({ request, inputs, remote, secrets, epoch, report, signal }: FrontendRun): FrontendOptions {
  return {
    ...defaultFrontendOptions,
    file: inputs.dockerfile.name,
    target: request.target ?? null,
    buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
    labels: new Map(Object.entries(request.labels ?? {})),
    platform: request.platform ?? hostPlatform(),
    buildPlatform: hostPlatform(),
    noCache: request.noCache === true ? "all" : (request.noCacheFilter ?? []),
    ignore: inputs.ignore,
    contexts: inputs.named.contexts,
    epoch,
    network: request.network ?? "default",
    extraHosts: request.extraHosts ?? [],
    ulimits: request.ulimits ?? [],
    cgroupParent: request.cgroupParent ?? "",
    shmSize: request.shmSize ?? null,
    resources: resourcesOf(request),
    findSecret: (text) => secrets.findIn(text),
    resolveLayout: (layout, platform, by = "internal") =>
      internalStep(report, `[${by}] load metadata for ${layout.path}`, signal, (opts) => remote.resolveLayout(layout, platform, opts)),
    resolveImage: (reference, platform, by = "internal") =>
      internalStep(report, `[${by}] load metadata for ${reference}`, signal, (opts) => remote.resolveImage(reference, platform, opts)),
  };
}

function resourcesOf({ resources }: BuildRequest): LinuxResources | null {
  return resources === undefined ? null : { ...unlimited, ...resources };
}
