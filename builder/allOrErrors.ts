import { hasCode, isTbuildError } from "../cache/errors.js";
import { combine } from "../frontend/dockerfile/errors.js";

/**
 * The values, when there are all of them.
 * @throws what has nothing to do with the input or ended the work, else one {@link TbuildError} that stands for all
 */
export function allOrErrors<T>(settled: readonly PromiseSettledResult<T>[]): readonly T[] {
  const reasons = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  const errors = reasons.filter(isTbuildError);
  const [unknown] = reasons.filter((reason) => !isTbuildError(reason) || hasCode(reason, "cancelled"));
  if (unknown !== undefined) throw unknown;
  if (errors.length > 0) throw combine(errors);
  return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}
