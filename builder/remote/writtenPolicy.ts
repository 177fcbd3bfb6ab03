import { TbuildError } from "../../cache/errors.js";
import type { sourcePolicy } from "../api/policy.js";
import type { Encodable } from "../api/schema.js";
import type { PolicyRule, SourceSelector } from "../policy/policy.js";
import type { BuildRequest } from "../request.js";

const ACTIONS = { allow: 0, deny: 1, convert: 2 } as const;
const MATCH_TYPES: { readonly [M in SourceSelector["match"]]: number } = { wildcard: 0, exact: 1, regex: 2 };
const CONDITIONS: { readonly [C in SourceSelector["constraints"][number]["condition"]]: number } = { equal: 0, "not-equal": 1, matches: 2 };

/** The source policy of a request as a builder is told it; null when everything may be read. @throws {TbuildError} unsupported for several */
export function writtenPolicy({ sourcePolicies = [] }: Pick<BuildRequest, "sourcePolicies">): Encodable<typeof sourcePolicy> | null {
  const [policy, ...more] = sourcePolicies;
  if (more.length > 0) {
    throw new TbuildError("unsupported", "Cannot build elsewhere with several source policies", { hint: "Give one policy with the rules of all" });
  }
  return policy === undefined ? null : { version: 1, rules: policy.rules.map(writtenRule) };
}

function writtenRule({ selector: { identifier, match, constraints }, action }: PolicyRule) {
  return {
    action: ACTIONS[action.kind],
    selector: {
      identifier,
      matchType: MATCH_TYPES[match],
      constraints: constraints.map(({ key, value, condition }) => ({ key, value, condition: CONDITIONS[condition] })),
    },
    updates: action.kind === "convert" ? { identifier: action.identifier, attrs: action.attrs } : null,
  };
}
