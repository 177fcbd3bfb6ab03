import type { SourceInfo } from "../../../solver/llb/definition.js";
import type { RemoteAccess } from "../../remote.js";
import { type FrontendRun, planBuild, type PlatformPlan } from "../../plan.js";
import { rootKind } from "../../platforms.js";
import type { RootKind } from "../../image/packed.js";
import type { Report } from "../../internalStep.js";
import type { SecretStore } from "../../secrets/secretStore.js";
import { clientContexts } from "./contexts.js";
import { type FrontendOpt, requestOf } from "./frontendOpt.js";
import type { FrontendHost } from "./host.js";
import { mainTree, wantsTime } from "./mainTree.js";
import { readTexts } from "./texts.js";

/** What the Dockerfile frontend works with besides its host. */
export interface FrontendParts {
  readonly remote: RemoteAccess;
  readonly secrets: SecretStore;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Hears of each text that errors may point into. */
  readonly noteSource: (info: SourceInfo) => void;
}

/** Graphs and configs, ready to be solved. */
export interface Planned {
  readonly plans: readonly PlatformPlan[];
  readonly root: RootKind;
}

/** What a client's Dockerfile comes to. @throws {TbuildError} what is wrong with options, files and Dockerfile */
export async function planDockerfile(opt: FrontendOpt, host: FrontendHost, parts: FrontendParts): Promise<Planned> {
  const run = await frontendRun(opt, host, parts);
  return { plans: await planBuild(run), root: rootKind(run.request) };
}

/** Reads everything that a Dockerfile's frontend needs to know. */
export async function frontendRun(opt: FrontendOpt, host: FrontendHost, parts: FrontendParts): Promise<FrontendRun> {
  const request = requestOf(opt);
  const main = await mainTree(opt, host);
  const { dockerfile, ignoreFile } = await readTexts(opt, main, host);
  parts.noteSource({ filename: dockerfile.name, data: dockerfile.bytes, language: "Dockerfile" });
  const contexts = await clientContexts(opt, host);
  const inputs = { dockerfile, ignore: ignoreFile?.rules ?? [], tree: main.context, named: { contexts } };
  return { ...parts, request, inputs, epoch: wantsTime(opt) ? main.time : null };
}
