import { type SourceRange, TbuildError, fromSystemError, isTbuildError } from "../cache/errors.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Vertex } from "./graph.js";

const vertices = new WeakMap<object, Pick<Vertex, "digest" | "at">>();

/** Digest of the step that failed with this error, so that a front end can show its log again. */
export function vertexOf(error: unknown): Digest | undefined {
  return stepOf(error)?.digest;
}

/** Everywhere that this step comes from. */
export function placesOf(error: unknown): readonly SourceRange[] {
  return stepOf(error)?.at ?? [];
}

function stepOf(error: unknown): Pick<Vertex, "digest" | "at"> | undefined {
  return typeof error === "object" && error !== null ? vertices.get(error) : undefined;
}

/**
 * The error of a failed step: with the step's source range unless it names one, and known to {@link vertexOf}.
 * A copy, because two builds that share a step each have their own place for it.
 */
export function errorOf(vertex: Vertex, cause: unknown): unknown {
  const error = located(fromSystemError(cause), vertex);
  if (typeof error === "object" && error !== null) vertices.set(error, vertex);
  return error;
}

function located(error: unknown, vertex: Vertex): unknown {
  if (!isTbuildError(error)) return error;
  const { code, message, at = vertex.at[0], hint, cause, process, others } = error;
  const copy = new TbuildError(code, message, { at, hint, cause, process, others });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}
