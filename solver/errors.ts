import { type SourceRange, TbuildError, fromSystemError, isTbuildError } from "../cache/errors.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Vertex } from "./graph.js";

const failures = new WeakMap<object, Failure>();

interface Failure {
  readonly vertex: Vertex;
  /** What the step itself has thrown. */
  readonly raised: unknown;
}

/** Digest of the step that failed with this error, so that a front end can show its log again. */
export function vertexOf(error: unknown): Digest | undefined {
  return failedVertexOf(error)?.digest;
}

/** Everywhere that this step comes from. */
export function placesOf(error: unknown): readonly SourceRange[] {
  return failedVertexOf(error)?.at ?? [];
}

/** The step that failed with this error. */
export function failedVertexOf(error: unknown): Vertex | undefined {
  return failureOf(error)?.vertex;
}

/** The error that the step itself has thrown, of which this one is a copy. */
export function raisedOf(error: unknown): unknown {
  return failureOf(error)?.raised;
}

function failureOf(error: unknown): Failure | undefined {
  return typeof error === "object" && error !== null ? failures.get(error) : undefined;
}

/**
 * The error of a failed step: with the step's source range unless it names one, and known to {@link vertexOf}.
 * A copy, because two builds that share a step each have their own place for it.
 */
export function errorOf(vertex: Vertex, cause: unknown): unknown {
  const error = located(fromSystemError(cause), vertex);
  if (typeof error === "object" && error !== null) failures.set(error, { vertex, raised: cause });
  return error;
}

function located(error: unknown, vertex: Vertex): unknown {
  if (!isTbuildError(error)) return error;
  const { code, message, at = vertex.at[0], hint, cause, process, others } = error;
  const copy = new TbuildError(code, message, { at, hint, cause, process, others });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}
