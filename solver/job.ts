import { setMaxListeners } from "node:events";
import { cancelled } from "../cache/errors.js";
import { errorOf } from "./errors.js";
import type { Vertex } from "./graph.js";
import type { Progress } from "./progress.js";
import { type VertexReporter, createVertexReporter } from "./vertexReporter.js";

/** The life of one build: one signal for all its work, its first failure, and its voice. */
export interface Job extends Disposable {
  /** Aborts when the caller cancels and when a step has failed. */
  readonly signal: AbortSignal;
  reporterOf(vertex: Vertex): VertexReporter;
  /** Does a piece of a vertex's own work. If it fails, the vertex and the build have failed. Starts nothing after the end. */
  own<T>(vertex: Vertex, work: () => Promise<T>): Promise<T>;
  /** Completes the progress of vertices that nobody needed. */
  succeeded(): void;
  /** Completes the progress of what was stopped; returns what the build is to throw. `thrown` is what reached the end. */
  stopped(thrown: unknown): unknown;
}

/** A build of these vertices (inputs before users), which it announces. */
export function createJob(vertices: readonly Vertex[], caller: AbortSignal, report: (event: Progress) => void): Job {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const cancel = (): void => controller.abort(cancelled(caller));
  caller.addEventListener("abort", cancel, { once: true });
  if (caller.aborted) cancel();
  const reporters = new Map(vertices.map((vertex) => [vertex, createVertexReporter(vertex, report)]));

  function reporterOf(vertex: Vertex): VertexReporter {
    const reporter = reporters.get(vertex);
    if (reporter === undefined) throw new Error(`Vertex "${vertex.name}" is not part of this build`);
    return reporter;
  }
  function fail(vertex: Vertex, cause: unknown): void {
    // What fails after the end fails because of the end.
    if (controller.signal.aborted) return;
    const error = errorOf(vertex, cause);
    reporterOf(vertex).failed(error instanceof Error ? error.message : String(error));
    controller.abort(error);
  }

  return {
    signal: controller.signal,
    reporterOf,
    async own(vertex, work) {
      controller.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        fail(vertex, error);
        throw error;
      }
    },
    succeeded: () => reporters.forEach((reporter) => reporter.cached()),
    stopped(thrown) {
      reporters.forEach((reporter) => reporter.cancelled());
      return controller.signal.aborted ? controller.signal.reason : thrown;
    },
    [Symbol.dispose]: () => caller.removeEventListener("abort", cancel),
  };
}
