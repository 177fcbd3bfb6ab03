import type { Opts } from "../../cache/content/store.js";
import { type SourceRange, withRange } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Definition } from "../../solver/llb/definition.js";
import { rewriteSources } from "../../solver/llb/rewrite.js";
import type { Op, SourceOp } from "../../solver/llb/op.js";
import { allOrErrors } from "../allOrErrors.js";
import type { PolicySource, SourcePolicy } from "./policy.js";

/** Makes graphs that read what a policy lets them. */
export type ApplyPolicy = (definition: Definition, opts: Opts) => Promise<Definition>;

/**
 * Asks a policy about each source of graphs before anything of them runs; one that several have is asked about once. An error
 * is told at the line of the step, and those of several sources together. @throws {TbuildError} as the policy does
 */
export function policyApplier(policy: SourcePolicy | null): ApplyPolicy {
  if (policy === null) return async (definition) => definition;
  const known = new Map<Digest, Promise<PolicySource>>();
  return async (definition, opts) => {
    const asked: Promise<SourceOp>[] = [];
    const decide = (op: Op, source: SourceOp, digest: Digest): Promise<SourceOp> => {
      const decision = known.get(digest) ?? policy({ ...source, platform: op.platform }, opts);
      known.set(digest, decision);
      const decided = told(decision, definition.source.locations.get(digest)?.[0]);
      asked.push(decided);
      return decided;
    };
    try {
      return await rewriteSources(definition, decide);
    } catch (error) {
      // Others may fail as well, and nothing goes on behind a build that has.
      allOrErrors(await Promise.allSettled(asked));
      throw error;
    }
  };
}

async function told(decision: Promise<PolicySource>, at: SourceRange | undefined): Promise<SourceOp> {
  try {
    const { identifier, attrs } = await decision;
    return { kind: "source", identifier, attrs };
  } catch (error) {
    throw withRange(error, at);
  }
}
