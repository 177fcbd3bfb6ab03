import { TbuildError } from "../cache/errors.js";
import { combine } from "../frontend/dockerfile/errors.js";
import type { Vertex } from "../solver/graph.js";

/** Refuses what no step runner can do yet before anything has run. @throws {TbuildError} unsupported, at its line */
export function checkSupport(steps: readonly Vertex[]): void {
  const errors = steps.flatMap(unsupported);
  if (errors.length > 0) throw combine(errors);
}

function unsupported(vertex: Vertex): readonly TbuildError[] {
  const { kind } = vertex.op.body;
  if (kind !== "build") return [];
  const [at] = vertex.at;
  return [new TbuildError("unsupported", `Cannot run "${vertex.name}": "${kind}" steps are not supported yet`, { at })];
}
