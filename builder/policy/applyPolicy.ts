import type { Opts } from "../../cache/content/store.js";
import { withRange } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Definition } from "../../solver/llb/definition.js";
import { rewriteSources } from "../../solver/llb/rewrite.js";
import type { Op, SourceOp } from "../../solver/llb/op.js";
import type { PolicySource, SourcePolicy } from "./policy.js";

/** Makes graphs that read what a policy lets them. */
export type ApplyPolicy = (definition: Definition, opts: Opts) => Promise<Definition>;

/**
 * Asks a policy about each source of graphs before anything of them runs; one that several have is asked about once. An error
 * is told at the line of the step. @throws {TbuildError} as the policy does
 */
export function policyApplier(policy: SourcePolicy | null): ApplyPolicy {
  if (policy === null) return async (definition) => definition;
  const known = new Map<Digest, Promise<PolicySource>>();
  return async (definition, opts) => {
    const decide = async (op: Op, source: SourceOp, digest: Digest): Promise<SourceOp> => {
      const decision = known.get(digest) ?? policy({ ...source, platform: op.platform }, opts);
      known.set(digest, decision);
      try {
        const { identifier, attrs } = await decision;
        return { kind: "source", identifier, attrs };
      } catch (error) {
        throw withRange(error, definition.source.locations.get(digest)?.[0]);
      }
    };
    return await rewriteSources(definition, decide);
  };
}
