import { type Digest, digestOf } from "../../../cache/oci/digest.js";
import type { Progress } from "../../../solver/progress.js";
import type { BuildLogs } from "../../logs/buildLogs.js";

/** What a build reports to, and asks for the output of its steps. */
export type NodeLogs = Pick<BuildLogs, "report" | "fileOf">;

/** The part of a build's logs that is about one node: equal steps of two nodes are two steps, and each says where it runs. */
export function logsOfNode(logs: NodeLogs, node: string): NodeLogs {
  const own = (vertex: Digest): Digest => digestOf(`tbuild.node.v1\n${node}\n${vertex}`);
  return { fileOf: (vertex) => logs.fileOf(own(vertex)), report: (event) => logs.report(ofNode(event, node, own)) };
}

function ofNode(event: Progress, node: string, own: (vertex: Digest) => Digest): Progress {
  switch (event.type) {
    case "vertex":
      return { ...event, vertex: own(event.vertex), inputs: event.inputs.map(own), name: prefixed(event.name, node) };
    case "warning":
      return event.vertex === null ? event : { ...event, vertex: own(event.vertex) };
    default:
      return { ...event, vertex: own(event.vertex) };
  }
}

/** "[2/3] RUN make" is "[node 2/3] RUN make". Source: buildx, util/progress/multiwriter.go. */
function prefixed(name: string, node: string): string {
  return name.startsWith("[") ? `[${node} ${name.slice(1)}` : `[${node}] ${name}`;
}
