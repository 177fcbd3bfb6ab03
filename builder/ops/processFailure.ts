import { TbuildError } from "../../cache/errors.js";
import type { ProcessResult, ProcessSpec } from "../executor/executor.js";
import { failureHint } from "./failureHint.js";

/** What a command printed before it failed. */
export interface FailureOutput {
  /** Last lines, oldest first. */
  readonly tail: readonly string[];
  /** Those of standard error alone, which under load may have come before lines that were printed earlier. */
  readonly errors: readonly string[];
  /** Where all of it is, or null. */
  readonly logFile: string | null;
}

/** The error of a command that failed; its root file system must still be there. */
export function processFailure(spec: ProcessSpec, result: ProcessResult, { tail, errors, logFile }: FailureOutput): TbuildError {
  const { exitCode, signal, outOfMemory } = result;
  return new TbuildError("process_failed", `Process "${commandLine(spec.args)}" did not complete successfully: ${howItEnded(spec, result)}`, {
    hint: failureHint(spec, result, errors) ?? failureHint(spec, result, tail) ?? undefined,
    process: { argv: spec.args, exitCode, signal, outOfMemory, logTail: tail, ...(logFile === null ? {} : { logFile }) },
  });
}

/** The first line: the rest of a heredoc is shown with the Dockerfile. */
function commandLine(args: readonly string[]): string {
  const [first = "", ...rest] = args.join(" ").trimEnd().split("\n");
  return rest.length === 0 ? first : `${first} …`;
}

function howItEnded({ resources }: ProcessSpec, { exitCode, signal, outOfMemory }: ProcessResult): string {
  if (outOfMemory) {
    const limit = resources === null || resources.memory === 0 ? "" : ` (limit ${mebibytes(resources.memory)})`;
    return `exit code: ${exitCode}, out of memory${limit}`;
  }
  return signal === null ? `exit code: ${exitCode}` : `exit code: ${exitCode} (${signal})`;
}

function mebibytes(bytes: number): string {
  return `${Number((bytes / 2 ** 20).toFixed(1))} MiB`;
}
