import type { BuildRequest } from "../request.js";
import { rulesPolicy } from "./evaluate.js";
import type { SourcePolicy } from "./policy.js";

/** The policy of a request; null when everything may be read. */
export function requestPolicy({ sourcePolicies = [] }: Pick<BuildRequest, "sourcePolicies">): SourcePolicy | null {
  return sourcePolicies.length === 0 ? null : rulesPolicy(sourcePolicies);
}

/** The second policy decides about what the first has made of a source. Null allows everything. */
export function inTurn(first: SourcePolicy | null, second: SourcePolicy | null): SourcePolicy | null {
  if (first === null || second === null) return first ?? second;
  return async (source, opts) => await second(await first(source, opts), opts);
}
