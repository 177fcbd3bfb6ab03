import type { Edge, Vertex } from "../solver/graph.js";
import type { FileOp, Op } from "../solver/llb/op.js";

/**
 * The steps whose results are layers of the final image: from the last one down through what each was made on. Results of
 * other stages are only copied from.
 */
export function layerChain(root: Edge | null): ReadonlySet<Vertex> {
  const chain = new Set<Vertex>();
  for (let edge = root; edge !== null; edge = baseOf(edge)) chain.add(edge.vertex);
  return chain;
}

function baseOf({ vertex, index }: Edge): Edge | null {
  const input = baseInput(vertex.op, index);
  return input === null ? null : (vertex.inputs[input] ?? null);
}

/** Index of the input that output `index` is a change of; null when it starts from nothing. */
function baseInput({ body, inputs }: Op, index: number): number | null {
  switch (body.kind) {
    case "exec":
      return body.mounts.find((mount) => mount.output === index)?.input ?? null;
    case "file":
      return fileBase(body, inputs.length, index);
    case "merge":
      return body.inputs[0] ?? null;
    case "passthrough":
      return body.outputs[index] ?? null;
    default:
      return null;
  }
}

function fileBase(op: FileOp, inputCount: number, index: number): number | null {
  let input = op.actions.find((action) => action.output === index)?.input ?? -1;
  while (input >= inputCount) input = op.actions[input - inputCount]?.input ?? -1;
  return input < 0 ? null : input;
}
