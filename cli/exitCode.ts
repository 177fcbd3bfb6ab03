import { hasCode, isTbuildError } from "../cache/errors.js";

/** 128 + SIGPIPE: what the shell shows of other programs whose reader has left. */
export const closedExitCode = 141;

/** 2 for a wrong command line, 130 when the user ended the build, 1 for every other failure. */
export function exitCodeOf(error: unknown): number {
  if (hasCode(error, "usage")) return 2;
  return hasCode(error, "cancelled") ? 130 : 1;
}

/** Of `tbuild verify`, as cmp(1) has them: 1 is an image that differs, 2 that nobody knows. */
export function verifyExitCodeOf(error: unknown): number {
  return hasCode(error, "cancelled") ? 130 : 2;
}

/** Of `tbuild run`, whose other statuses are the process's: 125 for failures of tbuild's own, 126 and 127 as shells have them. */
export function runExitCodeOf(error: unknown): number {
  if (hasCode(error, "cancelled")) return 130;
  return (isTbuildError(error) ? error.process?.exitCode : undefined) ?? 125;
}
