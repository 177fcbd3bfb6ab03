import { isTbuildError } from "../cache/errors.js";
import { digestOf } from "../cache/oci/digest.js";
import type { StepOpts } from "../solver/opRunner.js";
import type { Progress } from "../solver/progress.js";
import { createVertexReporter } from "../solver/vertexReporter.js";

/** Tells progress. */
export type Report = (event: Progress) => void;

/**
 * Runs work that is no op of the graph (reading the Dockerfile, resolving a name, exporting) as a step of its own, so
 * that people see what takes the time.
 */
export async function internalStep<T>(report: Report, name: string, signal: AbortSignal, body: (opts: StepOpts) => Promise<T>): Promise<T> {
  const reporter = createVertexReporter({ digest: digestOf(`tbuild.internal.v1\n${name}`), name, inputs: [] }, report);
  reporter.started();
  try {
    const result = await body({ signal, report: reporter });
    reporter.done();
    return result;
  } catch (error) {
    if (signal.aborted) reporter.cancelled();
    else reporter.failed(isTbuildError(error) ? error.message : String(error));
    throw error;
  }
}
