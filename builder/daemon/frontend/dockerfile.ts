import { definitionCodec } from "../../../solver/llb/codecDefinition.js";
import type { SourceInfo } from "../../../solver/llb/definition.js";
import { marshal } from "../../../solver/llb/marshal.js";
import { encode } from "../../../solver/llb/message.js";
import type { Output } from "../../../solver/llb/state.js";
import type { Warning } from "../../../solver/progress.js";
import type { RemoteAccess } from "../../remote.js";
import { type FrontendRun, planBuild, type PlatformPlan } from "../../plan.js";
import { rootKind } from "../../platforms.js";
import type { RootKind } from "../../image/packed.js";
import { sourceTime } from "../../context/sourceTime.js";
import type { Report } from "../../internalStep.js";
import type { SecretStore } from "../../secrets/secretStore.js";
import { clientContexts } from "./contexts.js";
import { askedEpoch, asksEpoch, type FrontendOpt, requestOf } from "./frontendOpt.js";
import type { FrontendHost } from "./host.js";
import { mainTree, type MainTree } from "./mainTree.js";
import { type ClientTexts, readTexts } from "./texts.js";

/** What the Dockerfile frontend works with besides its host. */
export interface FrontendParts {
  readonly remote: RemoteAccess;
  readonly secrets: SecretStore;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Hears of what is odd in a file before the error that is wrong with it. */
  readonly warnBeforeError: (warnings: readonly Warning[]) => void;
  /** Hears of each text that errors may point into. */
  readonly noteSource: (info: SourceInfo) => void;
}

/** Graphs and configs, ready to be solved. */
export interface Planned {
  readonly plans: readonly PlatformPlan[];
  readonly root: RootKind;
}

/** A client's Dockerfile before anybody has made sense of it. */
export interface GivenDockerfile extends ClientTexts {
  readonly main: MainTree;
}

/** Reads the Dockerfile of a client. @throws {TbuildError} not_found, invalid_argument; what fetching the context throws */
export async function readDockerfile(opt: FrontendOpt, host: FrontendHost, { noteSource }: Pick<FrontendParts, "noteSource">): Promise<GivenDockerfile> {
  const main = await mainTree(opt, host);
  const texts = await readTexts(opt, main, host);
  const definition = encode(definitionCodec, marshal(texts.from, []));
  noteSource({ filename: texts.dockerfile.name, data: texts.dockerfile.bytes, language: "Dockerfile", definition });
  return { main, ...texts };
}

/** What a client's Dockerfile comes to. @throws {TbuildError} what is wrong with options and Dockerfile */
export async function planDockerfile(opt: FrontendOpt, given: GivenDockerfile, host: FrontendHost, parts: FrontendParts): Promise<Planned> {
  const run = await frontendRun(opt, given, host, parts);
  return { plans: await planBuild(run), root: rootKind(run.request) };
}

/** Everything that a Dockerfile's frontend needs to know. */
export async function frontendRun(opt: FrontendOpt, { main, dockerfile, ignoreFile }: GivenDockerfile, host: FrontendHost, parts: FrontendParts): Promise<FrontendRun> {
  const request = requestOf(opt);
  const contexts = await clientContexts(opt, host);
  const inputs = { dockerfile, ignore: ignoreFile?.rules ?? [], tree: main.context, named: { contexts } };
  const timeOf = async (source: "context" | Output) => {
    const fetched = source === "context" ? main.fetched : source;
    return fetched === null ? null : await sourceTime(fetched, host.open);
  };
  const asked = askedEpoch(opt);
  const epoch = asked === "context" ? await timeOf(asked) : asked;
  return { ...parts, request, inputs, foreignSyntax: "ignore", epoch, created: asksEpoch(opt) ? "base" : "export", sourceTime: timeOf };
}
