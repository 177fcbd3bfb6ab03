import { createReadStream } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../../cache/errors.js";
import type { Platform } from "../../../cache/oci/platform.js";
import type { CallKind, CallResult } from "../../call.js";
import { refuseTwice, stdinFile } from "../../context/stdinFile.js";
import { FILE } from "../../context/steps.js";
import { exportSpecs } from "../../exportSpecs.js";
import { internalStep, type Report } from "../../internalStep.js";
import { openLogs } from "../../logs/buildLogs.js";
import { targetPlatforms } from "../../platforms.js";
import type { BuildRequest, BuildResult } from "../../request.js";
import type { BuildParts } from "../../run.js";
import { builderPlace } from "../place.js";
import { checkRequest, resultOf, runRemoteBuild, solveRemotely } from "../remoteBuild.js";
import { callRemotely } from "../remoteCall.js";
import type { RemoteParts } from "../remoteOffers.js";
import { allOrNone } from "./allOrNone.js";
import { type BuiltPart, mergeParts } from "./mergeParts.js";
import type { BuilderNode } from "./node.js";
import { logsOfNode, type NodeLogs } from "./nodeProgress.js";
import { partOfNode, sharedOutputs } from "./nodeOutputs.js";
import { type NodeState, probeNodes } from "./probe.js";
import { route, type RoutedNode, type Share } from "./route.js";

/** What builds on several nodes are made of. */
export interface NodesParts extends Omit<RemoteParts, "place">, Pick<BuildParts, "remote"> {
  readonly nodes: readonly BuilderNode[];
}

/** A node that answers. */
interface UpNode extends RoutedNode {
  readonly node: BuilderNode;
}

/**
 * One build on those nodes that its platforms are for: on one of them as if it were the only one, on several side by side, and what they have built
 * becomes one result. @throws {TbuildError} why it failed; unavailable, unsupported when no node builds a platform
 */
export async function runNodesBuild(parts: NodesParts, request: BuildRequest, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  const shares = await routed(parts, request, audience, signal);
  const [first, another] = shares;
  if (first !== undefined && another === undefined) return await runRemoteBuild(partsOf(parts, first), request, audience, signal);
  const specs = exportSpecs(request);
  await checkRequest(specs, request, parts.store, signal);
  const outputs = sharedOutputs(specs);
  using logs = openLogs(parts.store, audience);
  const input = await spooled(request, parts, signal);
  const works = shares.map((share) => async (opts: { readonly signal: AbortSignal }): Promise<BuiltPart> => {
    const part = partOfNode(outputs, share.platforms, parts.store);
    const own: BuildRequest = { ...request, platforms: share.platforms, ...(input === null ? {} : { stdin: createReadStream(input) }) };
    const asked = { ...part, attrs: { "multi-platform": "true" } };
    return { ...part, share, response: await solvePart(parts, share, own, asked, logs, opts.signal) };
  });
  const built = await allOrNone(works, { signal });
  const platforms = targetPlatforms(request);
  return resultOf(await internalStep(logs.report, mergeName(specs), signal, (opts) => mergeParts({ ...parts, platforms }, outputs, built, opts)));
}

async function solvePart(parts: NodesParts, share: Share<UpNode>, request: BuildRequest, asked: Parameters<typeof solveRemotely>[2], logs: NodeLogs, signal: AbortSignal): Promise<BuildResult["metadata"]> {
  const { response } = await solveRemotely(partsOf(parts, share), request, asked, logsOfNode(logs, share.node.name), signal);
  return response;
}

function mergeName(specs: ReturnType<typeof exportSpecs>): string {
  const name = specs.find(({ attrs }) => attrs["name"] !== undefined && attrs["name"] !== "")?.attrs["name"];
  return name === undefined ? "merging what the nodes have built" : `merging manifest list ${name}`;
}

function partsOf({ store, registries }: NodesParts, { node: { node } }: Share<UpNode>): RemoteParts {
  return { store, registries, place: builderPlace(node.address, node.tls) };
}

/** Asks something of a Dockerfile on the first node that answers. @throws {TbuildError} as callRemotely; unavailable when none does */
export async function callNodes<K extends CallKind>(parts: NodesParts, request: BuildRequest, kind: K, signal: AbortSignal): Promise<CallResult<K>> {
  const [first] = await routed(parts, { ...request, platforms: [] }, () => {}, signal);
  return await callRemotely(partsOf(parts, first!), request, kind, signal);
}

/** Who builds what. Those that do not answer are told of, and skipped. */
async function routed({ nodes }: NodesParts, { platforms = [] }: BuildRequest, report: Report, signal: AbortSignal): Promise<readonly Share<UpNode>[]> {
  const states = await probeNodes(nodes, { signal });
  const up = states.flatMap((state) => (state.kind === "up" ? [upNode(state)] : []));
  const down = states.flatMap((state) => (state.kind === "down" ? [{ name: state.node.name, why: state.why }] : []));
  if (up.length === 0) throw new TbuildError("unavailable", "Cannot build: no node answers", { hint: down.map(({ name, why }) => `"${name}": ${why}`).join("; ") });
  // Without platforms the builder builds for its own, which the first node that answers has.
  const shares = platforms.length === 0 ? [{ node: up[0]!, platforms: [] }] : route(targetPlatforms({ platforms }), up, down);
  for (const { name, why } of down) {
    report({ type: "warning", vertex: null, warning: { rule: null, message: `Skipping the node "${name}", which does not answer: ${why}`, detail: "", url: null, at: null } });
  }
  return shares;
}

function upNode({ node, worker }: Extract<NodeState, { kind: "up" }>): UpNode {
  return { node, name: node.name, pinned: node.pinned, announced: worker.platforms.map(plain) };
}

/** As messages have it, what is not said is empty. */
function plain({ variant, ...rest }: Platform): Platform {
  return { os: rest.os, architecture: rest.architecture, ...(variant === undefined || variant === "" ? {} : { variant }) };
}

/** Standard input is read once, and sent to every node: a file has it meanwhile. Null when the build reads none. */
async function spooled(request: BuildRequest, { store }: NodesParts, signal: AbortSignal): Promise<string | null> {
  refuseTwice(request);
  const { context, dockerfile, stdin = process.stdin } = request;
  if (context !== "-" && dockerfile !== "-") return null;
  return path.join(await stdinFile(store, stdin, context === "-" ? "the context" : "the Dockerfile", signal), FILE);
}
