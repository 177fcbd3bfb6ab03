import type { BuildRequest } from "../request.js";
import { rulesPolicy } from "./evaluate.js";
import type { SourcePolicy } from "./policy.js";

/** The policy of a request; null when everything may be read. */
export function requestPolicy({ sourcePolicies = [] }: Pick<BuildRequest, "sourcePolicies">): SourcePolicy | null {
  return sourcePolicies.length === 0 ? null : rulesPolicy(sourcePolicies);
}
