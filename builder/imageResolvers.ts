import { formatPlatform, type Platform } from "../cache/oci/platform.js";
import type { FrontendOptions, ResolvedImage } from "../frontend/options.js";
import type { StepOpts } from "../solver/opRunner.js";
import { internalStep } from "./internalStep.js";
import { rootKind } from "./platforms.js";
import type { Run } from "./run.js";

/** How a frontend asks what images are. */
export type ImageResolvers = Pick<FrontendOptions, "resolveImage" | "resolveLayout">;

/** Resolvers for all platforms of one build: each question is one step, however many platforms ask it. */
export function imageResolvers({ request, remote, report, signal }: Pick<Run, "request" | "remote" | "report" | "signal">): ImageResolvers {
  const asked = new Map<string, Promise<ResolvedImage>>();
  const isIndex = rootKind(request) === "index";
  const ask = (by: string, what: string, platform: Platform, resolve: (opts: StepOpts) => Promise<ResolvedImage>) => {
    const prefix = isIndex ? `${formatPlatform(platform)} ` : "";
    const name = `[${prefix}${by}] load metadata for ${what}`;
    const key = `${formatPlatform(platform)} ${name}`;
    const answer = asked.get(key) ?? internalStep(report, name, signal, resolve);
    asked.set(key, answer);
    return answer;
  };
  return {
    resolveLayout: (layout, platform, by = "internal") => ask(by, layout.path, platform, (opts) => remote.resolveLayout(layout, platform, opts)),
    resolveImage: (reference, platform, by = "internal") => ask(by, reference, platform, (opts) => remote.resolveImage(reference, platform, opts)),
  };
}
