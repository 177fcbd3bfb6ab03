import { TbuildError } from "../cache/errors.js";
import { topologicalOrder, type Edge, type Vertex } from "../solver/graph.js";

/** Refuses what no step runner can do yet before anything has run. @throws {TbuildError} unsupported, at its line */
export function checkSupport(root: Edge | null): void {
  if (root === null) return;
  const [first, ...others] = topologicalOrder(root).flatMap(unsupported);
  if (first !== undefined) throw new TbuildError(first.code, first.message, { at: first.at, hint: first.hint, others });
}

function unsupported(vertex: Vertex): readonly TbuildError[] {
  const { kind } = vertex.op.body;
  if (kind !== "diff" && kind !== "build") return [];
  const [at] = vertex.at;
  return [new TbuildError("unsupported", `Cannot run "${vertex.name}": "${kind}" steps are not supported yet`, { at })];
}
