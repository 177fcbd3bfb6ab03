import { createReadStream } from "node:fs";
import path from "node:path";
import { refuseTwice, stdinFile } from "../../context/stdinFile.js";
import { FILE } from "../../context/steps.js";
import { exportSpecs } from "../../exportSpecs.js";
import { internalStep, type Report } from "../../internalStep.js";
import { openLogs } from "../../logs/buildLogs.js";
import { targetPlatforms } from "../../platforms.js";
import type { BuildRequest, BuildResult } from "../../request.js";
import { warnOnce } from "../../warnOnce.js";
import { remoteCaches } from "../remoteCaches.js";
import { remoteLock } from "../remoteLock.js";
import { checkRequest, resultOf, solveRemotely } from "../remoteBuild.js";
import { allOrNone } from "./allOrNone.js";
import { type BuiltPart, mergeParts } from "./mergeParts.js";
import { logsOfNode } from "./nodeProgress.js";
import { partOfNode, sharedOutputs } from "./nodeOutputs.js";
import { type NamedBuild, type NodesParts, partsOf } from "./nodesParts.js";
import type { Share } from "./route.js";
import type { UpNode } from "./shares.js";

/** A build, and who builds what of it. */
export interface SharedBuild extends NamedBuild {
  readonly shares: readonly Share<UpNode>[];
}

/** One build on several nodes side by side, and what they have built becomes one result. @throws {TbuildError} why it failed */
export async function runNodesBuild(parts: NodesParts, { request, ref, shares }: SharedBuild, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  const specs = exportSpecs(request);
  await checkRequest(specs, request, parts.store, signal);
  const lock = remoteLock(request);
  const outputs = sharedOutputs(specs);
  using logs = openLogs(parts.store, audience);
  const input = await spooled(request, parts, signal);
  const warn = warnOnce(logs.report);
  const buildOn = async (share: Share<UpNode>, number: number, { signal: either }: { readonly signal: AbortSignal }): Promise<BuiltPart> => {
    const { node, name } = share.node;
    const caches = remoteCaches({ from: request.cacheFrom ?? [], to: request.cacheTo ?? [] }, parts.store, warn);
    const part = partOfNode(outputs, share.platforms, parts.store);
    const own = { ...request, ...lock.rules, platforms: share.platforms, ...(input === null ? {} : { stdin: createReadStream(input) }) };
    // Its part is an index, and its directories are those of platforms, also of one.
    const asked = { ...part, ref: `${ref}-${number}`, caches, attrs: { "multi-platform": "true" }, policy: lock.policy };
    const { response } = await solveRemotely(partsOf(parts, node), own, asked, logsOfNode(logs, name), either);
    return { ...part, caches, share, response };
  };
  const works = shares.map((share, index) => (opts: { readonly signal: AbortSignal }) => buildOn(share, index + 1, opts));
  const built = await lock.guarded(() => allOrNone(works, { signal }));
  const platforms = targetPlatforms(request);
  const metadata = await internalStep(logs.report, mergeName(specs), signal, (opts) => mergeParts({ ...parts, platforms }, outputs, built, opts));
  await lock.finish({ report: logs.report, signal });
  return resultOf(metadata);
}

function mergeName(specs: ReturnType<typeof exportSpecs>): string {
  const name = specs.find(({ attrs }) => attrs["name"] !== undefined && attrs["name"] !== "")?.attrs["name"];
  return name === undefined ? "merging what the nodes have built" : `merging manifest list ${name}`;
}

/** Standard input is read once, and sent to every node: a file has it meanwhile. Null when the build reads none. */
async function spooled(request: BuildRequest, { store }: NodesParts, signal: AbortSignal): Promise<string | null> {
  refuseTwice(request);
  const { context, dockerfile, stdin = process.stdin } = request;
  if (context !== "-" && dockerfile !== "-") return null;
  return path.join(await stdinFile(store, stdin, context === "-" ? "the context" : "the Dockerfile", signal), FILE);
}
