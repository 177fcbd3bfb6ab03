import type { Opts } from "../../../cache/content/store.js";
import type { SolveRequest } from "../../api/control.js";
import { type ApplyPolicy, policyApplier } from "../../policy/applyPolicy.js";
import { rulesPolicy } from "../../policy/evaluate.js";
import type { PolicySource, SourcePolicy, SourceRules } from "../../policy/policy.js";
import { readRules } from "../../policy/readRules.js";
import type { Sessions } from "../../session/sessions.js";
import { sessionPolicy } from "./sessionPolicy.js";
import type { SourceAnswer, SourceQuestion } from "./sourceMeta.js";

/** What a client lets its build read. */
export interface ClientPolicy {
  readonly apply: ApplyPolicy;
  /** What is read instead of a source, by the rules of one request as well. @throws {TbuildError} permission_denied, invalid_argument */
  decide(source: PolicySource, more: readonly SourceRules[], opts: Opts): Promise<PolicySource>;
  /** The policy for those who ask about images; null when everything may be read. */
  readonly policy: SourcePolicy | null;
}

/** What a session is asked with. */
export interface PolicyParts {
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
  /** Tells what a source is, for a session that wants to know, without asking that session again. */
  resolve(asked: SourceQuestion, policy: SourcePolicy): Promise<SourceAnswer>;
}

/** The policy of a request. @throws {TbuildError} invalid_argument for rules that make no sense */
export function clientPolicy({ sourcePolicy, sourcePolicySession }: Pick<SolveRequest, "sourcePolicy" | "sourcePolicySession">, parts: PolicyParts): ClientPolicy {
  const rules = sourcePolicy === null ? [] : [readRules(sourcePolicy.rules)];
  const policyOf = (all: readonly SourceRules[]): SourcePolicy => {
    const ruled = rulesPolicy(all);
    if (sourcePolicySession === "") return ruled;
    return async (source, opts) => {
      const session = await parts.sessions.get(sourcePolicySession, { signal: opts.signal ?? parts.signal });
      return await sessionPolicy(ruled, session, (asked) => parts.resolve(asked, ruled))(source, opts);
    };
  };
  const policy = rules.length === 0 && sourcePolicySession === "" ? null : policyOf(rules);
  return {
    policy,
    apply: policyApplier(policy),
    decide: async (source, more, opts) => (policy === null && more.length === 0 ? source : await policyOf([...rules, ...more])(source, opts)),
  };
}
