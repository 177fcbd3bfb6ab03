import { TbuildError } from "../../../cache/errors.js";
import type { Report } from "../../internalStep.js";
import { targetPlatforms } from "../../platforms.js";
import type { BuildRequest } from "../../request.js";
import type { BuilderNode } from "./node.js";
import { announcedPlatforms, type NodeState, probeNodes } from "./probe.js";
import { type DownNode, route, type RoutedNode, type Share } from "./route.js";

/** A node that answers. */
export interface UpNode extends RoutedNode {
  readonly node: BuilderNode;
}

/**
 * Asks all nodes, and says who builds what. Those that do not answer are told of, and skipped.
 * @throws {TbuildError} unavailable, unsupported when no node builds a platform; cancelled
 */
export async function sharesOf(
  nodes: readonly BuilderNode[],
  { platforms = [] }: Pick<BuildRequest, "platforms">,
  report: Report,
  signal: AbortSignal,
): Promise<readonly Share<UpNode>[]> {
  const states = await probeNodes(nodes, { signal });
  const up = states.flatMap((state) => (state.kind === "up" ? [upNode(state)] : []));
  const down = states.flatMap((state) => (state.kind === "down" ? [{ name: state.node.name, why: state.why }] : []));
  const [first] = up;
  if (first === undefined) throw new TbuildError("unavailable", "Cannot build: no node answers", { hint: down.map(silence).join("; ") });
  // Without platforms a builder builds for its own.
  const shares = platforms.length === 0 ? [{ node: first, platforms: [] }] : route(targetPlatforms({ platforms }), up, down);
  for (const node of down) report(skipped(node));
  return shares;
}

function silence({ name, why }: DownNode): string {
  return `"${name}": ${why}`;
}

function skipped({ name, why }: DownNode): Parameters<Report>[0] {
  const message = `Skipping the node "${name}", which does not answer: ${why}`;
  return { type: "warning", vertex: null, warning: { rule: null, message, detail: "", url: null, at: null } };
}

function upNode({ node, worker }: Extract<NodeState, { kind: "up" }>): UpNode {
  return { node, name: node.name, pinned: node.pinned, announced: announcedPlatforms(worker) };
}
