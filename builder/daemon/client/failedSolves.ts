import { failedVertexOf, raisedOf } from "../../../solver/errors.js";
import type { Status } from "../../api/common.js";
import { solveDetail } from "../../api/solveDetail.js";
import { failedStepOf } from "../../ops/failedStep.js";
import type { RefTable } from "./refTable.js";

const known = new WeakMap<object, Status["details"]>();

/** Gives ids to what the failed step of an error had and had made, so that {@link failedSolveDetails} tells them. */
export function noteFailedSolve(error: unknown, refs: RefTable): void {
  const vertex = failedVertexOf(error);
  if (vertex === undefined || typeof error !== "object" || error === null) return;
  const step = failedStepOf(raisedOf(error));
  // Clients take it that there is an id for each mount of a process that has failed.
  if (step === undefined && vertex.op.body.kind === "exec") return;
  const { inputs = [], mounts = [], subject = null } = step ?? {};
  const ids = new Map([...new Set([...inputs, ...mounts])].map((ref) => [ref, ref === null ? "" : refs.addResult(ref)]));
  const idsOf = (all: typeof inputs) => all.map((ref) => ids.get(ref) ?? "");
  const { op, metadata } = vertex;
  known.set(error, [solveDetail({ inputIds: idsOf(inputs), mountIds: idsOf(mounts), op, subject, description: metadata.description })]);
}

/** What clients are told of a failed step besides its message; nothing of an error that nobody has noted. */
export function failedSolveDetails(error: unknown): Status["details"] {
  return (typeof error === "object" && error !== null ? known.get(error) : undefined) ?? [];
}
