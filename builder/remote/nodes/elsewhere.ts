import type { CallKind, CallResult } from "../../call.js";
import type { Report } from "../../internalStep.js";
import type { BuildRequest, BuildResult } from "../../request.js";
import { runRemoteBuild } from "../remoteBuild.js";
import { callRemotely } from "../remoteCall.js";
import type { BuilderNode } from "./node.js";
import { type NamedBuild, type NodesParts, partsOf } from "./nodesParts.js";

/** Runs a build on the nodes that its platforms are for. @throws {TbuildError} why it failed; unavailable, unsupported when no node builds a platform */
export async function runElsewhere(parts: NodesParts, build: NamedBuild, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  const { request, ref } = build;
  const [only, ...others] = parts.nodes as readonly [BuilderNode];
  if (others.length === 0) return await runRemoteBuild(partsOf(parts, only), request, ref, audience, signal);
  const { sharesOf } = await import("./shares.js");
  const shares = await sharesOf(parts.nodes, request, audience, signal);
  // A node that gets everything builds as if there were no other.
  if (shares.length === 1) return await runRemoteBuild(partsOf(parts, shares[0]!.node.node), request, ref, audience, signal);
  const { runNodesBuild } = await import("./nodesBuild.js");
  return await runNodesBuild(parts, { ...build, shares }, audience, signal);
}

/** Asks something of a Dockerfile on the first node that answers. @throws {TbuildError} as callRemotely; unavailable when none does */
export async function callElsewhere<K extends CallKind>(parts: NodesParts, request: BuildRequest, kind: K, signal: AbortSignal): Promise<CallResult<K>> {
  const [only, ...others] = parts.nodes as readonly [BuilderNode];
  if (others.length === 0) return await callRemotely(partsOf(parts, only), request, kind, signal);
  const { sharesOf } = await import("./shares.js");
  const [share] = await sharesOf(parts.nodes, { platforms: [] }, () => {}, signal);
  return await callRemotely(partsOf(parts, share!.node.node), request, kind, signal);
}
