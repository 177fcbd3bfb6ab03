import { isTbuildError, TbuildError } from "../../cache/errors.js";

const FULL = /no space left on device|disk quota exceeded/i;

/**
 * Says whose disk is full, where `error` is that one is: `own` is what this machine has failed at while the builder asked it,
 * null for nothing. Other errors are returned as they are.
 */
export function saysWhoseDisk(error: unknown, own: unknown, shown: string): unknown {
  if (!isTbuildError(error) || error.code === "process_failed" || !FULL.test(error.message)) return error;
  if (isTbuildError(own) && own.code === "resource_exhausted") {
    return new TbuildError("resource_exhausted", `This machine is full: ${own.message}`, { hint: own.hint ?? "Free space", cause: error });
  }
  const hint = `Free space there: buildctl --addr ${shown} prune`;
  return new TbuildError("resource_exhausted", `The builder "${shown}" is full: ${error.message}`, { hint, at: error.at, cause: error });
}
