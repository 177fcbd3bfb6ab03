import type { Digest } from "../cache/oci/digest.js";
import { type Edge, topologicalOrder, type Vertex } from "../solver/graph.js";

/**
 * The steps whose results' files somebody reads: all but those that end up below layers of MergeOps and in an export that
 * needs no files. `exported`: the export reads files of the roots.
 */
export function filesRead(roots: readonly (Edge | null)[], exported: boolean): ReadonlySet<Digest> {
  const read = new Set<Digest>();
  if (exported) for (const root of roots) if (root !== null) read.add(root.vertex.digest);
  for (const vertex of topologicalOrder(...roots).toReversed()) {
    for (const [index, input] of vertex.inputs.entries()) if (reads(vertex, index, read)) read.add(input.vertex.digest);
  }
  return read;
}

/** The lowest tree of a MergeOp is only put others on. */
function reads(vertex: Vertex, input: number, read: ReadonlySet<Digest>): boolean {
  const { body } = vertex.op;
  return body.kind !== "merge" || body.inputs.indexOf(input) !== 0 || body.inputs.lastIndexOf(input) !== 0 || read.has(vertex.digest);
}
