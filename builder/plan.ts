import { hostPlatform } from "../cache/oci/platform.js";
import { dockerfileToDefinition, type FrontendResult } from "../frontend/mod.js";
import { defaultFrontendOptions } from "../frontend/options.js";
import { unlimited, type LinuxResources } from "../solver/llb/op.js";
import { internalStep } from "./internalStep.js";
import type { BuildRequest } from "./request.js";
import type { Run } from "./run.js";

/** Turns the Dockerfile into the graph of its target. @throws {TbuildError} see `dockerfileToDefinition` */
export async function planBuild({ request, inputs, remote, secrets, epoch, report, signal }: Run): Promise<FrontendResult> {
  const result = await dockerfileToDefinition(inputs.dockerfile.bytes, {
    ...defaultFrontendOptions,
    file: inputs.dockerfile.name,
    target: request.target ?? null,
    buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
    labels: new Map(Object.entries(request.labels ?? {})),
    platform: request.platform ?? hostPlatform(),
    buildPlatform: hostPlatform(),
    noCache: request.noCache === true ? "all" : (request.noCacheFilter ?? []),
    ignore: inputs.ignore,
    epoch,
    network: request.network ?? "default",
    extraHosts: request.extraHosts ?? [],
    ulimits: request.ulimits ?? [],
    cgroupParent: request.cgroupParent ?? "",
    shmSize: request.shmSize ?? null,
    resources: resourcesOf(request),
    findSecret: (text) => secrets.findIn(text),
    resolveImage: (reference, platform, by = "internal") =>
      internalStep(report, `[${by}] load metadata for ${reference}`, signal, (opts) => remote.resolveImage(reference, platform, opts)),
  });
  for (const warning of result.warnings) report({ type: "warning", vertex: null, warning });
  return result;
}

function resourcesOf({ resources }: BuildRequest): LinuxResources | null {
  return resources === undefined ? null : { ...unlimited, ...resources };
}
