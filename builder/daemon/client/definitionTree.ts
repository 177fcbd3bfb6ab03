import { type Edge, loadGraph, type Vertex } from "../../../solver/graph.js";
import type { Definition } from "../../../solver/llb/definition.js";
import { node, type Node, type Output, output } from "../../../solver/llb/state.js";

/** A client's graph as a tree that others can be made of; null is the empty one. @throws {TbuildError} invalid_argument */
export function treeOf(definition: Definition): Output | null {
  const root = loadGraph(definition);
  const nodes = new Map<Vertex, Node>();
  const convert = (vertex: Vertex): Node => {
    const known = nodes.get(vertex);
    if (known !== undefined) return known;
    const { op, metadata, inputs } = vertex;
    // Where the steps come from is told by the build that they are of.
    const made = node(op.body, inputs.map(of), { platform: op.platform, metadata });
    nodes.set(vertex, made);
    return made;
  };
  const of = ({ vertex, index }: Edge): Output => output(convert(vertex), index);
  return root === null ? null : of(root);
}
