import type { Opts } from "../../cache/content/store.js";
import type { SourceOp } from "../../solver/llb/op.js";
import type { Platform } from "../../cache/oci/platform.js";

/** Rules about sources, asked in order. Source: BuildKit, sourcepolicy/pb/policy.proto. */
export interface SourceRules {
  readonly rules: readonly PolicyRule[];
}

/** What becomes of the sources that a selector fits. */
export interface PolicyRule {
  readonly selector: SourceSelector;
  readonly action: PolicyAction;
}

/** Of "allow" and "deny", the last one that fits counts; the first change is made, and all rules are asked again. */
export type PolicyAction =
  | { readonly kind: "allow" }
  | { readonly kind: "deny" }
  /** An empty identifier is the selector's. It may name the selector's groups: `${1}`. */
  | { readonly kind: "convert"; readonly identifier: string; readonly attrs: Readonly<Record<string, string>> };

/** Which sources a rule is about: all that is said has to fit. */
export interface SourceSelector {
  /** Of an op: "docker-image://docker.io/library/busybox:*". It always fits itself, however it is matched. */
  readonly identifier: string;
  readonly match: "wildcard" | "exact" | "regex";
  readonly constraints: readonly AttrConstraint[];
}

/** What an attribute of the op has to be; one that it lacks is "". */
export interface AttrConstraint {
  readonly key: string;
  readonly value: string;
  readonly condition: "equal" | "not-equal" | "matches";
}

/** A source, as policies see it. */
export interface PolicySource extends Pick<SourceOp, "identifier" | "attrs"> {
  readonly platform: Platform | null;
}

/**
 * Says what is read instead of a source, which may be the source itself.
 * @throws {TbuildError} permission_denied when it may not be read, invalid_argument when the policy makes no sense of it
 */
export type SourcePolicy = (source: PolicySource, opts: Opts) => Promise<PolicySource>;
